import { defineConfig } from "vite";

// Everything is a file of its own: the server allows nothing inline.
export default defineConfig({
  base: "./",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { host: "127.0.0.1", proxy: { "/api": "http://127.0.0.1:8617" } },
});
