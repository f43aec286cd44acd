// The call that was just made, in the languages people write.

import { origin } from "./service.js";

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const literal = (value) => JSON.stringify(value);

const METHODS = {
  "/ner": (inputs) => `token_classification(${literal(inputs)})`,
  "/sentiment": (inputs) => `text_classification(${literal(inputs)})`,
  "/translate": (inputs, { src_lang: source, tgt_lang: target }) =>
    `translation(${literal(inputs)}, src_lang=${literal(source)}, tgt_lang=${literal(target)})`,
};

/** `{curl, Python, JavaScript}` of a call. */
export function samples(path, body) {
  const json = JSON.stringify(body);
  return {
    curl: `curl -s ${origin}${path} \\\n  -H 'Content-Type: application/json' \\\n  -d ${shell(json)}`,
    Python: python(path, body),
    JavaScript: [
      `const response = await fetch("${origin}${path}", {`,
      '  method: "POST",',
      '  headers: { "Content-Type": "application/json" },',
      `  body: JSON.stringify(${json}),`,
      "});",
      "console.log(await response.json());",
    ].join("\n"),
  };
}

/** The Hugging Face client takes one text and both languages; for more, plain HTTP. */
function python(path, { inputs, parameters = {} }) {
  const method = METHODS[path];
  const known = path !== "/translate" || parameters.src_lang;
  if (!method || typeof inputs !== "string" || !known) return requests(path, { inputs, parameters });
  return [
    "from huggingface_hub import InferenceClient",
    "",
    `client = InferenceClient(model="${origin}${path}")`,
    `print(client.${method(inputs, parameters)})`,
  ].join("\n");
}

function requests(path, body) {
  return [
    "import json, urllib.request",
    "",
    `body = json.loads(${literal(JSON.stringify(body))})`,
    "request = urllib.request.Request(",
    `    "${origin}${path}",`,
    "    json.dumps(body).encode(),",
    '    {"Content-Type": "application/json"},',
    ")",
    "print(json.load(urllib.request.urlopen(request)))",
  ].join("\n");
}
