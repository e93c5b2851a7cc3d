// grpc-web, the first client of the protocol, against the gateway: XMLHttpRequest, both of its formats, messages as raw bytes.
import grpcWeb from "grpc-web";
import { tell } from "./telling.js";

const query = new URLSearchParams(location.search);
const gateway = query.get("gateway");
const messages = JSON.parse(query.get("messages"));
const { GrpcWebClientBase, MethodDescriptor, MethodType, RpcError } = grpcWeb;

const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
const base64 = (array) => btoa(String.fromCharCode(...array));
const same = (value) => value;
const method = (path, type = MethodType.UNARY) => new MethodDescriptor(path, type, Uint8Array, Uint8Array, same, same);

/** Everything a call tells, in the order it is told. */
const heard = (call) => new Promise((done) => {
  const events = [];
  call.on("metadata", (got) => events.push(["metadata", got["x-first"] ?? null]));
  call.on("data", (got) => events.push(["data", base64(got)]));
  call.on("status", ({ code, details, metadata }) => events.push(["status", code, details, metadata]));
  call.on("error", ({ code, message, metadata }) => done([...events, ["error", code, message, metadata]]));
  call.on("end", () => done([...events, ["end"]]));
});
const refusal = async (call) => {
  try {
    return { code: "answered", message: await call };
  } catch (error) {
    if (error instanceof RpcError) return error;
    throw error;
  }
};
const kept = (events, ...kinds) => events.filter(([kind]) => kinds.includes(kind));

const start = (client, path, message, headers = {}) =>
  client.serverStreaming(`${gateway}${path}`, bytes(message), headers, method(path, MethodType.SERVER_STREAMING));
const ask = (client, path, message, headers = {}) => client.unaryCall(`${gateway}${path}`, bytes(message), headers, method(path));

async function unary(client) {
  return base64(await ask(client, "/bookstore.v1.Bookstore/GetShelf", messages.shelf));
}

async function metadata(client) {
  return base64(await ask(client, "/bookstore.v1.Laboratory/EchoMetadata", messages.metadata, { "x-mine": "said", deadline: String(Date.now() + 10_000) }));
}

async function trailers(client) {
  const events = await heard(start(client, "/bookstore.v1.Laboratory/EchoMetadata", messages.metadata));
  const status = events.find(([kind]) => kind === "status");
  return [events.find(([kind]) => kind === "metadata")?.[1], status[1], status[3]["x-last"]];
}

async function stream(client) {
  return kept(await heard(start(client, "/bookstore.v1.Feeds/Count", messages.count)), "data", "end");
}

async function brokenStream(client) {
  const events = kept(await heard(start(client, "/bookstore.v1.Feeds/Count", messages.broken)), "data", "error");
  return events.map(([kind, ...rest]) => (kind === "data" ? [kind, ...rest] : [kind, ...rest.slice(0, 2)]));
}

async function details(client) {
  const { code, message, metadata } = await refusal(ask(client, "/bookstore.v1.Laboratory/Fail", messages.fail));
  return [code, message, metadata?.["grpc-status-details-bin"]];
}

async function deadline(client) {
  const began = performance.now(), headers = { deadline: String(Date.now() + 300) };
  const { code } = await refusal(ask(client, "/bookstore.v1.Laboratory/Slow", messages.slow, headers));
  return [code, performance.now() - began < 5000];
}

const clients = { text: new GrpcWebClientBase({ format: "text" }), binary: new GrpcWebClientBase({ format: "binary" }) };
await tell(clients, { unary, metadata, trailers, stream, brokenStream, details, deadline });
