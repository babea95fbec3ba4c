// Tokenise texts with VS Code's own engine. In: JSON {grammar, texts} on stdin; out: JSON lists of [text, scope].
const fs = require("fs");
const path = require("path");
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const { grammar, texts } = JSON.parse(fs.readFileSync(0, "utf8"));
const wasm = fs.readFileSync(path.join(path.dirname(require.resolve("vscode-oniguruma")), "onig.wasm")).buffer;
const engine = oniguruma.loadWASM(wasm).then(() => ({
  createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
  createOnigString: (text) => new oniguruma.OnigString(text),
}));
const registry = new textmate.Registry({
  onigLib: engine,
  loadGrammar: async () => textmate.parseRawGrammar(JSON.stringify(grammar), "rtfs.json"),
});

registry.loadGrammar("source.rtfs").then((loaded) => {
  const out = texts.map((text) => {
    let state = textmate.INITIAL;
    return text.split("\n").flatMap((line) => {
      const found = loaded.tokenizeLine(line, state);
      state = found.ruleStack;
      return found.tokens.map((each) => [line.slice(each.startIndex, each.endIndex), each.scopes.at(-1)]);
    });
  });
  process.stdout.write(JSON.stringify(out));
});
