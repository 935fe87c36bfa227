// SPDX-License-Identifier: Apache-2.0
// compile.js KSY FOLDER: compiles a Kaitai Struct description to Python.
const fs = require("fs");
const path = require("path");
const compiler = require("kaitai-struct-compiler");
const yaml = require("js-yaml");

const [ksy, folder] = process.argv.slice(2);
compiler.compile("python", yaml.load(fs.readFileSync(ksy, "utf8")), null, false).then(
  (files) => {
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  },
  (error) => {
    console.error(String(error));
    process.exit(1);
  },
);
