// The documentation page: reads the OpenAPI documents of this gateway and lets a reader send requests to it.
// Everything shown is built as DOM nodes, never as HTML text: descriptions come from files others wrote.

const byId = (id) => document.getElementById(id);

/** An element: h("p", {class: "text"}, "words", child). Functions become listeners. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== ""));
  return element;
}

/** Text with its `code`. */
const marked = (text = "") => text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

// --- Schemas ------------------------------------------------------------------------------------------------------------------

let api = { components: {} };

/** What a reference means; other keywords beside it stay. */
function resolved(schema) {
  let out = schema ?? {};
  while (out.$ref) {
    const { $ref, ...beside } = out;
    const target = $ref.slice(2).split("/").reduce((place, key) => place?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], api);
    out = { ...target, ...beside };
  }
  return out;
}

const refName = (schema) => schema?.$ref?.split("/").at(-1) ?? "";

/** A schema's type in words. */
function typeName(schema = {}) {
  const plain = resolved(schema);
  if (refName(schema)) return refName(schema) + (plain.enum ? " (enum)" : "");
  if (plain.type === "array") return `${typeName(plain.items)}[]`;
  if (plain.type === "object" && typeof plain.additionalProperties === "object") return `map of ${typeName(plain.additionalProperties)}`;
  if (plain.anyOf || (plain.oneOf && !plain.properties)) return (plain.anyOf ?? plain.oneOf).map(typeName).join(" or ");
  if ("const" in plain) return JSON.stringify(plain.const);
  if (plain.title) return plain.title;
  const type = [plain.type ?? "any JSON"].flat().join(" or ");
  const more = plain.format ?? (plain.contentEncoding || "");
  return more ? `${type} (${more})` : type;
}

/** The schema in which properties are found: the item of an array, the value of a map. */
function inner(schema) {
  const plain = resolved(schema);
  if (plain.type === "array") return inner(plain.items);
  if (typeof plain.additionalProperties === "object") return inner(plain.additionalProperties);
  return plain;
}

/** What can be opened below a schema. */
const below = (plain) => {
  if (plain.properties) return Object.entries(plain.properties);
  return (plain.anyOf ?? plain.oneOf ?? []).filter((one) => one.$ref).map((one) => [refName(one), one]);
};

/** A schema as a tree; a level is built when it is opened, so a message may hold itself. */
function tree(schema) {
  const plain = inner(schema);
  const required = new Set(plain.required ?? []);
  return h("ul", { class: "schema" }, below(plain).map(([name, property]) => {
    const own = resolved(property);
    const marks = [own.readOnly && "read only", own.writeOnly && "write only", own.deprecated && "deprecated"];
    const line = [
      h("code", {}, name), " ", h("span", { class: "type" }, [typeName(property), ...marks.filter(Boolean)].join(", ")), " ",
      h("span", { class: "needed" }, required.has(name) ? "required" : ""), h("span", { class: "text" }, marked(own.description)),
    ];
    if (!below(inner(property)).length) return h("li", {}, line);
    return h("li", {}, h("details", { toggle: (event) => fill(event.target, () => tree(property)) }, h("summary", {}, line)));
  }));
}

/** Build what a <details> holds the first time it is opened. */
function fill(details, build) {
  if (!details.open || details.dataset.built) return;
  details.dataset.built = "yes";
  details.append(build());
}

/** An example value: what a client would send. `seen` ends messages that hold themselves. */
function example(schema, seen = []) {
  const name = refName(schema);
  const plain = resolved(schema);
  if (name && seen.includes(name)) return undefined;
  const path = name ? [...seen, name] : seen;
  if (plain.examples?.length) return plain.examples[0];
  if ("const" in plain) return plain.const;
  if (plain.enum) return plain.enum[1] ?? plain.enum[0];
  if (plain.anyOf) return example(plain.anyOf[0], path);
  const type = [plain.type].flat()[0];
  if (type === "array") return [example(plain.items, path)].filter((item) => item !== undefined);
  if (type === "object") return exampleObject(plain, path);
  if (type === "boolean") return true;
  if (type === "integer" || type === "number") return 1;
  if (type === "null" || type === undefined) return null;
  if (plain.contentEncoding) return "ZWRnZQ==";
  return /int64/.test(plain.format) ? "1" : "text";
}

function exampleObject(plain, path) {
  if (typeof plain.additionalProperties === "object") return { key: example(plain.additionalProperties, path) };
  const rivals = [plain, ...(plain.allOf ?? [])].flatMap((rule) => (rule.oneOf ?? []).slice(1).map((one) => one.required?.[0]));
  const value = {};
  for (const [name, property] of Object.entries(plain.properties ?? {})) {
    if (resolved(property).readOnly || rivals.includes(name)) continue;
    const made = path.length > 3 ? undefined : example(property, path);
    if (made !== undefined) value[name] = made;
  }
  return value;
}

// --- Requests -----------------------------------------------------------------------------------------------------------------

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** One parameter's share of the query. */
function queryPairs(parameter, text) {
  const schema = parameter.schema ?? {};
  const parts = text.split(",").map((part) => part.trim()).filter(Boolean);
  if (parameter.style === "deepObject") return parts.map((part) => [`${parameter.name}[${part.split("=")[0]}]`, part.split("=").slice(1).join("=")]);
  return schema.type === "array" ? parts.map((part) => [parameter.name, part]) : [[parameter.name, text]];
}

/** The request the form describes: {method, url, headers, body}. */
function requestOf(form) {
  let path = form.path;
  const query = [];
  for (const { parameter, input } of form.inputs) {
    const text = input.value;
    if (parameter.in === "path") {
      const parts = parameter["x-edge-spans-segments"] ? text.split("/") : [text];
      path = path.replace(`{${parameter.name}}`, () => parts.map(encodeURIComponent).join("/"));
    } else if (text !== "") query.push(...queryPairs(parameter, text));
  }
  const search = query.map(([name, text]) => `${encodeURIComponent(name)}=${encodeURIComponent(text)}`).join("&");
  const base = byId("gateway").value.replace(/\/+$/, "");
  const request = { method: form.method.toUpperCase(), url: base + path + (search ? `?${search}` : ""), headers: {} };
  const body = form.file?.files[0] ?? form.text?.value;
  if (body) Object.assign(request, { body, headers: { "content-type": body.type ?? form.mediaType } });
  return request;
}

/** The request as a line for a shell. */
function curlOf({ method, url, headers, body }) {
  const words = ["curl", ...(method === "GET" ? [] : ["-X", method]), quoted(url)];
  for (const [name, value] of Object.entries(headers)) words.push("-H", quoted(`${name}: ${value}`));
  if (body !== undefined) words.push("--data-binary", quoted(typeof body === "string" ? body : `@${body.name}`));
  return words.join(" ");
}

/** Send, and show what came back. */
async function send(form) {
  form.answer.replaceChildren(h("p", {}, "Waiting …"));
  const request = requestOf(form);
  const began = performance.now();
  try {
    const response = await fetch(request.url, request);
    const data = await response.blob();
    const took = Math.round(performance.now() - began);
    const status = h("strong", { class: response.ok ? "good" : "bad" }, `${response.status} ${response.statusText}`);
    const facts = ` ${response.headers.get("content-type") ?? "no content"}, ${data.size} bytes, ${took} ms`;
    form.answer.replaceChildren(h("p", {}, status, h("span", { class: "type" }, facts)), await shown(data));
  } catch (error) {
    const why = "The browser got no answer that it may show. Either the gateway cannot be reached there, or it does not allow this page's origin (CORS). The curl line works without that.";
    form.answer.replaceChildren(h("p", { class: "bad" }, why), h("p", { class: "type" }, String(error)));
  }
}

async function shown(data) {
  if (data.type.startsWith("image/")) return h("img", { src: URL.createObjectURL(data), alt: "The picture that was answered" });
  if (!/json|text|xml|csv|^$/.test(data.type)) return h("a", { href: URL.createObjectURL(data), download: "answer" }, "Save the answer");
  const text = await data.text();
  try {
    return h("pre", { tabindex: "0" }, JSON.stringify(JSON.parse(text), null, 2));
  } catch {
    return h("pre", { tabindex: "0" }, text);
  }
}

// --- Operations ---------------------------------------------------------------------------------------------------------------

/** The field in which a parameter's value is typed. */
function inputFor(parameter, id) {
  const schema = resolved(parameter.schema);
  if (schema.enum || schema.type === "boolean") {
    const values = [...(parameter.in === "path" ? [] : [""]), ...(schema.enum ?? ["true", "false"])];
    return h("select", { id }, values.map((value) => h("option", {}, String(value))));
  }
  const hint = parameter.style === "deepObject" ? "key=value, …" : schema.type === "array" ? "a, b, …" : parameter.content ? "JSON" : "";
  const value = parameter.in === "path" ? String(example(parameter.schema) ?? "") : "";
  return h("input", { id, value, placeholder: hint, spellcheck: "false", autocomplete: "off" });
}

function parameterTable(operation, form) {
  const rows = (operation.parameters ?? []).map((given) => {
    const parameter = resolved(given);
    const id = `${operation.operationId}.${parameter.name}`;
    const input = inputFor(parameter, id);
    form.inputs.push({ parameter, input });
    const type = typeName(parameter.schema ?? parameter.content?.["application/json"]?.schema);
    return h("tr", {},
      h("th", { scope: "row" }, h("label", { for: id }, h("code", {}, parameter.name)), " ", h("span", { class: "needed" }, parameter.required ? "required" : "")),
      h("td", { class: "type" }, `${parameter.in}, ${type}`), h("td", {}, input), h("td", {}, marked(parameter.description)));
  });
  return rows.length ? [h("h3", {}, "Parameters"), h("div", { class: "wide" }, h("table", {}, h("tbody", {}, rows)))] : [];
}

function bodyPart(operation, form) {
  const body = resolved(operation.requestBody);
  const [mediaType, content] = Object.entries(body.content ?? {})[0] ?? [];
  if (!mediaType) return [];
  const id = `${operation.operationId}.body`;
  const heading = h("h3", {}, h("label", { for: id }, "Body"), " ", h("span", { class: "type" }, Object.keys(body.content).join(", ")));
  const about = body.description ? h("p", { class: "text" }, marked(body.description)) : "";
  form.mediaType = mediaType === "*/*" ? "application/octet-stream" : mediaType;
  if (mediaType === "*/*") {
    form.file = h("input", { id, type: "file" });
    return [heading, about, form.file];
  }
  form.text = h("textarea", { id, spellcheck: "false" });
  form.text.value = JSON.stringify(example(content.schema), null, 2);
  return [heading, about, form.text, schemaPart(content.schema)];
}

function schemaPart(schema) {
  const line = h("summary", {}, "Schema ", h("span", { class: "type" }, typeName(schema)));
  return below(inner(schema)).length ? h("details", { toggle: (event) => fill(event.target, () => tree(schema)) }, line) : h("p", { class: "type" }, typeName(schema));
}

function responsePart(operation) {
  const rows = Object.entries(operation.responses).map(([status, given]) => {
    const response = resolved(given);
    const [schema] = Object.values(response.content ?? {}).map((content) => content.schema);
    const types = Object.keys(response.content ?? {}).join(", ");
    return h("tr", {}, h("th", { scope: "row" }, status),
      h("td", {}, h("div", { class: "text" }, marked(response.description)), types ? h("div", { class: "type" }, types) : "", schema ? schemaPart(schema) : ""));
  });
  return [h("h3", {}, "Answers"), h("div", { class: "wide" }, h("table", {}, h("tbody", {}, rows)))];
}

/** Everything inside an opened operation. */
function operationBody(path, method, operation) {
  const form = { path, method, inputs: [], answer: h("div", { class: "answer", "aria-live": "polite" }) };
  const curl = h("pre", { tabindex: "0", "aria-label": "The same with curl" });
  const refresh = () => { curl.textContent = curlOf(requestOf(form)); };
  const parts = [parameterTable(operation, form), bodyPart(operation, form)];
  const copy = h("button", { class: "plain", type: "button", click: () => navigator.clipboard?.writeText(curl.textContent) }, "Copy curl");
  const attempt = h("form", { class: "try", input: refresh, submit: (event) => { event.preventDefault(); refresh(); send(form); } },
    parts, h("div", { class: "buttons" }, h("button", {}, "Send"), copy), curl, form.answer);
  byId("gateway").addEventListener("input", refresh);
  refresh();
  return h("div", { class: "inside" },
    operation.description ? h("p", { class: "text" }, marked(operation.description)) : "",
    h("p", { class: "ids" }, `${operation.operationId} · ${operation["x-edge-rpc"]} · ${operation["x-edge-template"]}`),
    attempt, responsePart(operation));
}

function operationEntry(path, method, operation) {
  const summary = h("summary", {}, h("span", { class: `method ${method}` }, method.toUpperCase()), h("span", { class: "path" }, path), h("span", { class: "brief" }, marked(operation.summary)));
  const entry = h("details", {
    class: `op${operation.deprecated ? " deprecated" : ""}`, id: operation.operationId,
    toggle: (event) => event.target === entry && fill(entry, () => operationBody(path, method, operation)),
  }, summary);
  entry.dataset.words = [path, operation.operationId, operation.summary, operation.description].join(" ").toLowerCase();
  return entry;
}

/** One API on the page. */
function show() {
  const sections = new Map((api.tags ?? []).map((tag) => [tag.name, h("section", { id: `tag.${tag.name}` }, h("h2", {}, tag.name), h("p", { class: "text" }, marked(tag.description)))]));
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) sections.get(operation.tags[0]).append(operationEntry(path, method, operation));
  }
  byId("operations").replaceChildren(...sections.values());
  byId("operations").setAttribute("aria-busy", "false");
  find();
  reveal();
}

/** Hide what the reader does not look for; the contents count what is left. */
function find() {
  const words = byId("filter").value.toLowerCase().split(/\s+/);
  byId("contents").replaceChildren();
  for (const section of byId("operations").querySelectorAll("section")) {
    const entries = [...section.querySelectorAll("details.op")];
    for (const entry of entries) entry.hidden = !words.every((word) => entry.dataset.words.includes(word));
    const left = entries.filter((entry) => !entry.hidden).length;
    section.hidden = !left;
    if (left) byId("contents").append(h("a", { href: `#${section.id}` }, section.querySelector("h2").textContent, h("span", {}, String(left))));
  }
}

/** Open the operation the address names. */
function reveal() {
  const target = byId(decodeURIComponent(location.hash.slice(1)));
  if (target?.matches("details.op")) target.open = true;
  target?.scrollIntoView();
}

async function load(url) {
  byId("download").href = url;
  api = await (await fetch(url)).json();
  show();
}

async function start() {
  const { apis, gateways } = await (await fetch("docs/apis.json")).json();
  const urls = gateways.map((url) => url.replace("{host}", location.hostname));
  byId("gateway").value = urls[0] ?? location.origin;
  byId("gateways").append(...urls.map((url) => h("option", { value: url })));
  byId("api").append(...apis.map(({ name, document: url }) => h("option", { value: url }, name)));
  byId("api").addEventListener("change", (event) => load(event.target.value));
  byId("filter").addEventListener("input", find);
  addEventListener("hashchange", reveal);
  if (apis.length) await load(apis[0].document);
  else byId("operations").replaceChildren(h("p", {}, "No API is documented: none is loaded yet, or all have opted out."));
}

start().catch((error) => byId("operations").replaceChildren(h("p", { class: "bad" }, `The documents cannot be loaded: ${error}`)));
