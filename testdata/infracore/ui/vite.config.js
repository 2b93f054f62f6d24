import { defineConfig } from "vite";

// Behind `npm run dev`, the gate of a development stack answers for the services.
const gate = "http://127.0.0.1:8080";

export default defineConfig({
  esbuild: { jsx: "automatic" },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(["/api", "/gate", "/orchestrator", "/probe", "/snap"].map((path) => [path, gate])),
  },
});
