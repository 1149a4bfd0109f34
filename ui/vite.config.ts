// How the web application is built. Every asset is a file of its own (nothing inlined), because the server's content
// security policy allows scripts, fonts and images from itself only.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // The server puts a fresh nonce here for each answer (platform/security/security-headers.ts); app/nonce.ts reads it.
  html: { cspNonce: '__PILVI_NONCE__' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    // The largest chunk is ECharts; only pages that draw load it.
    chunkSizeWarningLimit: 700,
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': process.env['PILVI_API'] ?? 'http://127.0.0.1:4700' },
  },
});
