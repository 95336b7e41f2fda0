// Compiles the contracts of this folder into artifacts.json. The same sources and
// the same package-lock.json give the same bytes on every machine:
//
//   npm ci && npm run build
"use strict";

const { createHash } = require("node:crypto");
const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const solc = require("solc");

// Contracts that are deployed; the other sources are parts of these.
const deployed = [
  "BondingManager",
  "Controller",
  "ManagerProxy",
  "Minter",
  "RoundsManager",
  "ServiceRegistry",
  "TicketBroker",
];

const settings = {
  evmVersion: "cancun",
  optimizer: { enabled: true, runs: 200 },
  // No hash of the sources in the code: it would tie the bytes to comments.
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
};

const names = readdirSync(__dirname).filter((name) => name.endsWith(".sol")).sort();
const sources = {};
const hash = createHash("sha256");
for (const name of names) {
  const content = readFileSync(join(__dirname, name), "utf8");
  sources[name] = { content };
  hash.update(name).update("\0").update(content).update("\0");
}

const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
const problems = output.errors ?? [];
for (const problem of problems) {
  console.error(problem.formattedMessage);
}
if (problems.length > 0) {
  process.exit(1);
}

const contracts = {};
for (const name of deployed) {
  const { abi, evm } = output.contracts[`${name}.sol`][name];
  contracts[name] = { abi, bytecode: "0x" + evm.bytecode.object };
}
const artifacts = {
  compiler: solc.version(),
  source_sha256: hash.digest("hex"),
  contracts,
};
writeFileSync(join(__dirname, "artifacts.json"), JSON.stringify(artifacts, null, 1) + "\n");
