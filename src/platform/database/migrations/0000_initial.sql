CREATE TABLE "balances" (
	"workspace_id" text NOT NULL,
	"scope_kind" text NOT NULL,
	"scope_id" text NOT NULL,
	"period" text NOT NULL,
	"spent_micro_usd" bigint NOT NULL,
	"reserved_micro_usd" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "balances_workspace_id_scope_kind_scope_id_period_pk" PRIMARY KEY("workspace_id","scope_kind","scope_id","period"),
	CONSTRAINT "balances_not_negative" CHECK (spent_micro_usd >= 0 and reserved_micro_usd >= 0)
);
--> statement-breakpoint
ALTER TABLE "balances" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "budgets" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"scope_kind" text NOT NULL,
	"scope_id" text NOT NULL,
	"period" text NOT NULL,
	"cap_micro_usd" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "budgets" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "charges" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text,
	"key_id" text,
	"subject_id" text NOT NULL,
	"reservation_id" text NOT NULL,
	"unit" text NOT NULL,
	"quantity" double precision NOT NULL,
	"amount_micro_usd" bigint NOT NULL,
	"month" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "charges" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "reservations" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text,
	"key_id" text,
	"purpose_kind" text NOT NULL,
	"subject_id" text NOT NULL,
	"month" text NOT NULL,
	"amount_micro_usd" bigint NOT NULL,
	"used_so_far" jsonb NOT NULL,
	"state" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"charged_micro_usd" bigint
);
--> statement-breakpoint
ALTER TABLE "reservations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "usage_days" (
	"workspace_id" text NOT NULL,
	"project_id" text NOT NULL,
	"day" date NOT NULL,
	"unit" text NOT NULL,
	"quantity" double precision NOT NULL,
	"amount_micro_usd" bigint NOT NULL,
	CONSTRAINT "usage_days_workspace_id_day_unit_project_id_pk" PRIMARY KEY("workspace_id","day","unit","project_id")
);
--> statement-breakpoint
ALTER TABLE "usage_days" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "model_aliases" (
	"workspace_id" text NOT NULL,
	"project_id" text NOT NULL,
	"model_id" text NOT NULL,
	"alias" text NOT NULL,
	"version_id" text NOT NULL,
	"moved_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "model_aliases" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "model_versions" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"model_id" text NOT NULL,
	"number" integer NOT NULL,
	"file_sha256" text NOT NULL,
	"file_size_bytes" bigint NOT NULL,
	"summary" jsonb NOT NULL,
	"lineage" jsonb
);
--> statement-breakpoint
ALTER TABLE "model_versions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "models" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"name" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "models" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "trainings" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"job_id" text NOT NULL,
	"recipe" jsonb NOT NULL,
	"dataset_id" text NOT NULL,
	"dataset_name" text NOT NULL,
	"dataset_version_number" bigint NOT NULL,
	"state" text NOT NULL,
	"result" jsonb,
	"model_version_id" text,
	"reservation_id" text NOT NULL,
	"reserved_micro_usd" bigint NOT NULL,
	"charged_micro_usd" bigint,
	"problem" jsonb,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "trainings" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "event_deliveries" (
	"event_id" text NOT NULL,
	"reaction" text NOT NULL,
	"state" text NOT NULL,
	"attempt_count" integer NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"last_error" text,
	CONSTRAINT "event_deliveries_event_id_reaction_pk" PRIMARY KEY("event_id","reaction")
);
--> statement-breakpoint
CREATE TABLE "outbox_events" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text,
	"name" text NOT NULL,
	"data" jsonb NOT NULL,
	"dispatched_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "outbox_events" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"workspace_id" text NOT NULL,
	"actor_id" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" text NOT NULL,
	"status" integer,
	"answer" jsonb,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_workspace_id_actor_id_key_pk" PRIMARY KEY("workspace_id","actor_id","key")
);
--> statement-breakpoint
ALTER TABLE "idempotency_keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "audit_heads" (
	"workspace_id" text PRIMARY KEY NOT NULL,
	"sequence" bigint NOT NULL,
	"hash" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "audit_heads" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "audit_lines" (
	"workspace_id" text NOT NULL,
	"sequence" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"actor_kind" text NOT NULL,
	"actor_id" text NOT NULL,
	"action" text NOT NULL,
	"subject_id" text NOT NULL,
	"details" text NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "audit_lines_workspace_id_sequence_pk" PRIMARY KEY("workspace_id","sequence")
);
--> statement-breakpoint
ALTER TABLE "audit_lines" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "event_deliveries" ADD CONSTRAINT "event_deliveries_event_id_outbox_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."outbox_events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "budgets_scope" ON "budgets" USING btree ("workspace_id","scope_kind","scope_id");--> statement-breakpoint
CREATE UNIQUE INDEX "charges_once" ON "charges" USING btree ("reservation_id","unit");--> statement-breakpoint
CREATE INDEX "charges_listing" ON "charges" USING btree ("workspace_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "reservations_purpose" ON "reservations" USING btree ("workspace_id","purpose_kind","subject_id") WHERE state = 'held' and purpose_kind <> 'prediction-lease';--> statement-breakpoint
CREATE INDEX "reservations_expiry" ON "reservations" USING btree ("expires_at") WHERE state = 'held';--> statement-breakpoint
CREATE UNIQUE INDEX "model_aliases_alias" ON "model_aliases" USING btree ("model_id","alias");--> statement-breakpoint
CREATE UNIQUE INDEX "model_versions_number" ON "model_versions" USING btree ("model_id","number");--> statement-breakpoint
CREATE UNIQUE INDEX "model_versions_training" ON "model_versions" USING btree (("lineage" ->> 'trainingId'));--> statement-breakpoint
CREATE UNIQUE INDEX "models_name" ON "models" USING btree ("project_id","name");--> statement-breakpoint
CREATE INDEX "event_deliveries_due" ON "event_deliveries" USING btree ("due_at") WHERE state = 'waiting';--> statement-breakpoint
CREATE INDEX "outbox_events_waiting" ON "outbox_events" USING btree ("id") WHERE dispatched_at is null;--> statement-breakpoint
CREATE INDEX "outbox_events_created" ON "outbox_events" USING btree ("created_at");--> statement-breakpoint
CREATE POLICY "tenant" ON "balances" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant" ON "budgets" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant_read" ON "charges" AS PERMISSIVE FOR SELECT TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant_append" ON "charges" AS PERMISSIVE FOR INSERT TO "pilvi_tenant" WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "reservations" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "usage_days" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "model_aliases" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant_read" ON "model_versions" AS PERMISSIVE FOR SELECT TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant_append" ON "model_versions" AS PERMISSIVE FOR INSERT TO "pilvi_tenant" WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "models" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "trainings" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant_read" ON "outbox_events" AS PERMISSIVE FOR SELECT TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant_append" ON "outbox_events" AS PERMISSIVE FOR INSERT TO "pilvi_tenant" WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant" ON "idempotency_keys" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant" ON "audit_heads" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant_read" ON "audit_lines" AS PERMISSIVE FOR SELECT TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant_append" ON "audit_lines" AS PERMISSIVE FOR INSERT TO "pilvi_tenant" WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));