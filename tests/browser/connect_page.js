// connect-web against the gateway, in both protocols it has; messages by reflection from our descriptor set, no generated code.
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { tell } from "./telling.js";

const gateway = new URLSearchParams(location.search).get("gateway");
const set = fromBinary(FileDescriptorSetSchema, new Uint8Array(await (await fetch("/descriptors.binpb")).arrayBuffer()));
const registry = createFileRegistry(set);
const [bookstore, feeds, laboratory] = ["Bookstore", "Feeds", "Laboratory"].map((name) => registry.getService(`bookstore.v1.${name}`));

const failure = async (call) => {
  try {
    return ["answered", await call()];
  } catch (error) {
    const { code, rawMessage, metadata } = ConnectError.from(error);
    return [Code[code], rawMessage, metadata, error];
  }
};

async function unary(transport) {
  const shelf = await createClient(bookstore, transport).getShelf({ shelf: 1n });
  return [String(shelf.id), shelf.theme];
}

async function metadata(transport) {
  let header, trailer;
  const answer = await createClient(laboratory, transport).echoMetadata(
    { headers: { "x-first": "one" }, trailers: { "x-last": "two" } },
    { headers: { "x-mine": "said", "x-raw-bin": "AAH/" }, onHeader: (got) => (header = got), onTrailer: (got) => (trailer = got) },
  );
  return [answer.metadata["x-mine"].values, answer.metadata["x-raw-bin"].values, header.get("x-first"), trailer.get("x-last")];
}

async function stream(transport) {
  const numbers = [];
  for await (const { number } of createClient(feeds, transport).count({ to: 5 })) numbers.push(number);
  return numbers;
}

async function brokenStream(transport) {
  const numbers = [];
  const all = async () => {
    for await (const { number } of createClient(feeds, transport).count({ to: 3, code: 9 })) numbers.push(number);
  };
  return [numbers, ...(await failure(all)).slice(0, 2)];
}

async function details(transport) {
  const call = () => createClient(laboratory, transport).fail({ code: 9, message: "not so: “ü”", details: [1, 2, 4] });
  const [code, message, , error] = await failure(call);
  const bad = error.findDetails(registry.getMessage("google.rpc.BadRequest"))[0];
  const info = error.findDetails(registry.getMessage("google.rpc.ErrorInfo"))[0];
  const out = error.findDetails(registry.getMessage("bookstore.v1.OutOfStock"))[0];
  return [code, message, bad.fieldViolations.length > 0, info.reason !== "", out !== undefined];
}

async function deadline(transport) {
  const began = performance.now();
  const call = () => createClient(laboratory, transport).slow({ delay: { seconds: 30n } }, { timeoutMs: 300 });
  return [(await failure(call))[0], performance.now() - began < 5000];
}

/** The upstream hears of the deadline: what is left of ten seconds. */
async function passedDeadline(transport) {
  const { timeRemaining } = await createClient(laboratory, transport).echoMetadata({}, { timeoutMs: 10_000 });
  return [timeRemaining.seconds > 2n, timeRemaining.seconds <= 10n];
}

async function reset(transport) {
  const stop = new AbortController(), numbers = [];
  const all = async () => {
    for await (const { number } of createClient(feeds, transport).count({ to: 1000, interval: { nanos: 20_000_000 } }, { signal: stop.signal })) {
      numbers.push(number);
      if (number === 2) stop.abort();
    }
  };
  return [(await failure(all))[0], numbers];
}

/** A specimen with every kind of field comes back as it was. */
async function specimen(transport) {
  const sent = {
    int64Value: -(2n ** 63n), uint64Value: 2n ** 64n - 1n, doubleValue: 0.1, bytesValue: new Uint8Array([0, 255]),
    strings: ["ä", ""], mapStringString: { k: "v" }, timestamp: { seconds: 1n, nanos: 5 },
  };
  const got = await createClient(laboratory, transport).echoSpecimen(create(registry.getMessage("bookstore.v1.Specimen"), sent));
  return Object.keys(sent).map((name) => {
    const plain = (value) => JSON.stringify(value, (key, one) => (typeof one === "bigint" ? String(one) : key === "$typeName" ? undefined : one));
    return plain(got[name]) === plain(sent[name]);
  });
}

const json = { jsonOptions: { registry } };
const transports = {
  "connect binary": createConnectTransport({ baseUrl: gateway, useBinaryFormat: true }),
  "connect json": createConnectTransport({ baseUrl: gateway, ...json }),
  "connect get": createConnectTransport({ baseUrl: gateway, useHttpGet: true, ...json }),
  "grpc-web": createGrpcWebTransport({ baseUrl: gateway }),
};
const cases = { unary, metadata, stream, brokenStream, details, deadline, passedDeadline, reset, specimen };
await tell(transports, cases);
