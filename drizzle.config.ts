// Migrations are made from the tables that the owners' rows.ts files declare: `npm run migration -- --name WHAT`.
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/**/rows.ts',
  out: './src/platform/database/migrations',
});
