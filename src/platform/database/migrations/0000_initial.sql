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
CREATE TABLE "batches" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"job_id" text NOT NULL,
	"state" text NOT NULL,
	"input" jsonb NOT NULL,
	"input_label" text NOT NULL,
	"endpoint_id" text,
	"model_version_id" text NOT NULL,
	"model_name" text NOT NULL,
	"version_number" integer NOT NULL,
	"output" jsonb NOT NULL,
	"kept_columns" jsonb NOT NULL,
	"row_count" bigint NOT NULL,
	"answered_row_count" bigint,
	"problems" jsonb NOT NULL,
	"warnings" jsonb NOT NULL,
	"file_sha256" text,
	"file_size_bytes" bigint,
	"dataset_id" text,
	"dataset_version_id" text,
	"reservation_id" text NOT NULL,
	"paying_key_id" text,
	"reserved_micro_usd" bigint NOT NULL,
	"charged_micro_usd" bigint,
	"callback" jsonb,
	"problem" jsonb,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "batches" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "comparison_flips" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"comparison_id" text NOT NULL,
	"place" integer NOT NULL,
	"predicted_at" timestamp (3) with time zone NOT NULL,
	"flip" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "comparison_flips" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "comparisons" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"state" text NOT NULL,
	"job_id" text NOT NULL,
	"question" jsonb NOT NULL,
	"from_time" timestamp (3) with time zone NOT NULL,
	"to_time" timestamp (3) with time zone NOT NULL,
	"candidate_version_id" text NOT NULL,
	"candidate_model_name" text NOT NULL,
	"candidate_number" integer NOT NULL,
	"answering_version_id" text NOT NULL,
	"answering_model_name" text NOT NULL,
	"answering_number" integer NOT NULL,
	"log_notes" jsonb NOT NULL,
	"result" jsonb,
	"problem" jsonb
);
--> statement-breakpoint
ALTER TABLE "comparisons" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "gate_rules" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"rule" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "gate_rules" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "dataset_versions" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"dataset_id" text NOT NULL,
	"number" integer NOT NULL,
	"state" text NOT NULL,
	"job_id" text NOT NULL,
	"reservation_id" text NOT NULL,
	"source" jsonb NOT NULL,
	"source_label" text NOT NULL,
	"source_parts" jsonb,
	"options" jsonb NOT NULL,
	"columns" jsonb NOT NULL,
	"row_count" bigint,
	"content_sha256" text,
	"size_bytes" bigint,
	"profile_job_id" text,
	"profile" jsonb,
	"warnings" jsonb NOT NULL,
	"problem" jsonb
);
--> statement-breakpoint
ALTER TABLE "dataset_versions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "datasets" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"name" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "datasets" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "upload_parts" (
	"workspace_id" text NOT NULL,
	"project_id" text NOT NULL,
	"upload_id" text NOT NULL,
	"offset" bigint NOT NULL,
	"sha256" text NOT NULL,
	"size_bytes" bigint NOT NULL,
	CONSTRAINT "upload_parts_upload_id_offset_pk" PRIMARY KEY("upload_id","offset")
);
--> statement-breakpoint
ALTER TABLE "upload_parts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "uploads" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"file_name" text NOT NULL,
	"size_bytes" bigint,
	"received_bytes" bigint NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "uploads" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "deployment_counts" (
	"deployment_id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"request_count" bigint NOT NULL,
	"error_count" bigint NOT NULL,
	"latency_counts" bigint[] NOT NULL
);
--> statement-breakpoint
ALTER TABLE "deployment_counts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "deployments" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"revision" integer NOT NULL,
	"model_version_id" text NOT NULL,
	"model_name" text NOT NULL,
	"version_number" integer NOT NULL,
	"role" text DEFAULT 'live' NOT NULL,
	"traffic_share" double precision NOT NULL
);
--> statement-breakpoint
ALTER TABLE "deployments" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "endpoints" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"name" text NOT NULL,
	"revision" integer NOT NULL,
	"fields" jsonb NOT NULL,
	"prediction_count" bigint NOT NULL,
	"log" jsonb NOT NULL,
	"serving" jsonb NOT NULL,
	"change_count" integer NOT NULL,
	"held_by" text
);
--> statement-breakpoint
ALTER TABLE "endpoints" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "alerts" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"report_id" text NOT NULL,
	"rule" jsonb NOT NULL,
	"state" text NOT NULL,
	"value" double precision NOT NULL,
	"message" text NOT NULL,
	"closed_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "alerts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "monitor_references" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"model_version_id" text NOT NULL,
	"content_sha256" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "monitor_references" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "monitor_reports" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"state" text NOT NULL,
	"job_id" text NOT NULL,
	"from_time" timestamp (3) with time zone NOT NULL,
	"to_time" timestamp (3) with time zone NOT NULL,
	"model_version_id" text NOT NULL,
	"model_name" text NOT NULL,
	"version_number" integer NOT NULL,
	"task" text NOT NULL,
	"settings" jsonb NOT NULL,
	"summary" jsonb,
	"details" jsonb,
	"problem" jsonb
);
--> statement-breakpoint
ALTER TABLE "monitor_reports" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "monitors" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"settings" jsonb NOT NULL,
	"next_report_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "monitors" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "prediction_log_segments" (
	"id" text PRIMARY KEY NOT NULL,
	"converted_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "prediction_log_parts" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"kind" text NOT NULL,
	"content_sha256" text NOT NULL,
	"size_bytes" bigint NOT NULL,
	"row_count" integer NOT NULL,
	"from_time" timestamp (3) with time zone NOT NULL,
	"to_time" timestamp (3) with time zone NOT NULL,
	"first_request_id" text NOT NULL,
	"last_request_id" text NOT NULL,
	"deployment_id" text,
	"role" text DEFAULT 'live' NOT NULL,
	"revision" integer,
	"model_version_id" text,
	"columns" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "prediction_log_parts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "prediction_log_servers" (
	"server_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"workspace_id" text NOT NULL,
	"project_id" text NOT NULL,
	"pending_row_count" bigint NOT NULL,
	"lost_row_count" bigint NOT NULL,
	"lost_at" timestamp (3) with time zone,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "prediction_log_servers_endpoint_id_server_id_pk" PRIMARY KEY("endpoint_id","server_id")
);
--> statement-breakpoint
ALTER TABLE "prediction_log_servers" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "serving_states" (
	"server_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"workspace_id" text NOT NULL,
	"project_id" text NOT NULL,
	"versions" jsonb NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "serving_states_endpoint_id_server_id_pk" PRIMARY KEY("endpoint_id","server_id")
);
--> statement-breakpoint
ALTER TABLE "serving_states" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
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
CREATE TABLE "release_lines" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"release_id" text NOT NULL,
	"kind" text NOT NULL,
	"step_index" integer,
	"by" text NOT NULL,
	"note" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "release_lines" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "releases" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"model_version_id" text NOT NULL,
	"model_name" text NOT NULL,
	"version_number" integer NOT NULL,
	"former" jsonb NOT NULL,
	"strategy" jsonb NOT NULL,
	"guard" jsonb NOT NULL,
	"approvals" jsonb NOT NULL,
	"note" text NOT NULL,
	"steps" jsonb NOT NULL,
	"state" text NOT NULL,
	"step_index" integer,
	"former_revision" integer NOT NULL,
	"step_revisions" jsonb NOT NULL,
	"last_revision" integer,
	"baked_ms" bigint NOT NULL,
	"step_request_count" integer NOT NULL,
	"looked_at" timestamp (3) with time zone,
	"due_at" timestamp (3) with time zone,
	"waiting_for" jsonb NOT NULL,
	"slower_than_ms" double precision,
	"comparison" jsonb,
	"logged" jsonb,
	"logged_at" timestamp (3) with time zone,
	"change_count" integer NOT NULL,
	"reason" text,
	"started_by" text NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "releases" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
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
	"paying_key_id" text,
	"reserved_micro_usd" bigint NOT NULL,
	"charged_micro_usd" bigint,
	"problem" jsonb,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "trainings" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "update_policies" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"settings" jsonb NOT NULL,
	"next_at" timestamp (3) with time zone,
	"rests_until" timestamp (3) with time zone,
	"waiting" jsonb,
	"engine_version" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "update_policies" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "updates" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"state" text NOT NULL,
	"trigger" jsonb NOT NULL,
	"former_version_id" text NOT NULL,
	"former_model_name" text NOT NULL,
	"former_number" integer NOT NULL,
	"former_deployments" jsonb NOT NULL,
	"max_micro_usd" bigint,
	"training_id" text,
	"candidate_version_id" text,
	"candidate_model_name" text,
	"candidate_number" integer,
	"comparison_id" text,
	"release_id" text,
	"reasons" jsonb NOT NULL,
	"steps" jsonb NOT NULL,
	"started_by" text NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "updates" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
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
CREATE TABLE "job_events" (
	"workspace_id" text NOT NULL,
	"project_id" text,
	"job_id" text NOT NULL,
	"sequence" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"name" text NOT NULL,
	"data" jsonb NOT NULL,
	CONSTRAINT "job_events_job_id_sequence_pk" PRIMARY KEY("job_id","sequence")
);
--> statement-breakpoint
ALTER TABLE "job_events" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "jobs" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"project_id" text,
	"kind" text NOT NULL,
	"subject_id" text NOT NULL,
	"started_by" text NOT NULL,
	"payload" jsonb NOT NULL,
	"state" text NOT NULL,
	"attempt" integer NOT NULL,
	"delivery_id" text NOT NULL,
	"host_id" text,
	"heartbeat_at" timestamp (3) with time zone,
	"cancel_requested_at" timestamp (3) with time zone,
	"progress_share" double precision NOT NULL,
	"progress_message" text NOT NULL,
	"progress_sequence" integer NOT NULL,
	"progress_at" timestamp (3) with time zone,
	"last_sequence" integer NOT NULL,
	"event_count" integer NOT NULL,
	"problem" jsonb,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "jobs" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
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
CREATE TABLE "sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"token_hash" text NOT NULL,
	"user_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"last_used_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "sessions_token_hash_unique" UNIQUE("token_hash")
);
--> statement-breakpoint
CREATE TABLE "sign_in_links" (
	"code_hash" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"workspace_id" text NOT NULL,
	"purpose" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" text PRIMARY KEY NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"first_sign_in_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "keys" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"name" text NOT NULL,
	"hint" text NOT NULL,
	"secret_hash" text NOT NULL,
	"role" text NOT NULL,
	"project_id" text,
	"created_by" text NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "keys_secret_hash_unique" UNIQUE("secret_hash")
);
--> statement-breakpoint
ALTER TABLE "keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "signing_keys" (
	"public_key" text PRIMARY KEY NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"withdrawn_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "signing_keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "members" (
	"workspace_id" text NOT NULL,
	"user_id" text NOT NULL,
	"display_name" text NOT NULL,
	"role" text NOT NULL,
	"joined_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "members_workspace_id_user_id_pk" PRIMARY KEY("workspace_id","user_id")
);
--> statement-breakpoint
ALTER TABLE "members" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "projects" (
	"id" text PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"project_id" text GENERATED ALWAYS AS (id) STORED,
	"name" text NOT NULL,
	"name_key" text NOT NULL,
	"description" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "projects" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "workspaces" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "workspaces" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "event_deliveries" ADD CONSTRAINT "event_deliveries_event_id_outbox_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "public"."outbox_events"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_events" ADD CONSTRAINT "job_events_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sign_in_links" ADD CONSTRAINT "sign_in_links_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "projects" ADD CONSTRAINT "projects_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "budgets_scope" ON "budgets" USING btree ("workspace_id","scope_kind","scope_id");--> statement-breakpoint
CREATE UNIQUE INDEX "charges_once" ON "charges" USING btree ("reservation_id","unit");--> statement-breakpoint
CREATE INDEX "charges_listing" ON "charges" USING btree ("workspace_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "reservations_purpose" ON "reservations" USING btree ("workspace_id","purpose_kind","subject_id") WHERE state = 'held' and purpose_kind <> 'prediction-lease';--> statement-breakpoint
CREATE INDEX "reservations_expiry" ON "reservations" USING btree ("expires_at") WHERE state = 'held';--> statement-breakpoint
CREATE UNIQUE INDEX "comparison_flips_place" ON "comparison_flips" USING btree ("comparison_id","place");--> statement-breakpoint
CREATE INDEX "comparison_flips_time" ON "comparison_flips" USING btree ("endpoint_id","predicted_at");--> statement-breakpoint
CREATE INDEX "comparisons_endpoint" ON "comparisons" USING btree ("endpoint_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "gate_rules_endpoint" ON "gate_rules" USING btree ("endpoint_id");--> statement-breakpoint
CREATE UNIQUE INDEX "dataset_versions_number" ON "dataset_versions" USING btree ("dataset_id","number");--> statement-breakpoint
CREATE UNIQUE INDEX "datasets_name" ON "datasets" USING btree ("project_id","name");--> statement-breakpoint
CREATE INDEX "deployment_counts_endpoint" ON "deployment_counts" USING btree ("endpoint_id");--> statement-breakpoint
CREATE INDEX "deployments_revision" ON "deployments" USING btree ("endpoint_id","revision");--> statement-breakpoint
CREATE UNIQUE INDEX "endpoints_name" ON "endpoints" USING btree ("project_id","name");--> statement-breakpoint
CREATE INDEX "endpoints_kept_ready" ON "endpoints" USING btree ("id") WHERE serving->>'minReplicas' <> '0';--> statement-breakpoint
CREATE INDEX "alerts_endpoint" ON "alerts" USING btree ("endpoint_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "monitor_references_version" ON "monitor_references" USING btree ("model_version_id");--> statement-breakpoint
CREATE INDEX "monitor_reports_endpoint" ON "monitor_reports" USING btree ("endpoint_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "monitors_endpoint" ON "monitors" USING btree ("endpoint_id");--> statement-breakpoint
CREATE INDEX "prediction_log_parts_time" ON "prediction_log_parts" USING btree ("endpoint_id","kind","to_time");--> statement-breakpoint
CREATE UNIQUE INDEX "model_aliases_alias" ON "model_aliases" USING btree ("model_id","alias");--> statement-breakpoint
CREATE UNIQUE INDEX "model_versions_number" ON "model_versions" USING btree ("model_id","number");--> statement-breakpoint
CREATE UNIQUE INDEX "model_versions_training" ON "model_versions" USING btree (("lineage" ->> 'trainingId'));--> statement-breakpoint
CREATE UNIQUE INDEX "models_name" ON "models" USING btree ("project_id","name");--> statement-breakpoint
CREATE INDEX "release_lines_release" ON "release_lines" USING btree ("release_id","id");--> statement-breakpoint
CREATE INDEX "releases_endpoint" ON "releases" USING btree ("endpoint_id","id");--> statement-breakpoint
CREATE INDEX "releases_due" ON "releases" USING btree ("due_at");--> statement-breakpoint
CREATE UNIQUE INDEX "update_policies_endpoint" ON "update_policies" USING btree ("endpoint_id");--> statement-breakpoint
CREATE INDEX "updates_endpoint" ON "updates" USING btree ("endpoint_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "updates_running" ON "updates" USING btree ("endpoint_id") WHERE state in ('starting', 'training', 'comparing', 'releasing');--> statement-breakpoint
CREATE INDEX "event_deliveries_due" ON "event_deliveries" USING btree ("due_at") WHERE state = 'waiting';--> statement-breakpoint
CREATE INDEX "outbox_events_waiting" ON "outbox_events" USING btree ("id") WHERE dispatched_at is null;--> statement-breakpoint
CREATE INDEX "outbox_events_created" ON "outbox_events" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "jobs_workspace" ON "jobs" USING btree ("workspace_id","id");--> statement-breakpoint
CREATE INDEX "jobs_subject" ON "jobs" USING btree ("subject_id");--> statement-breakpoint
CREATE INDEX "jobs_running" ON "jobs" USING btree ("id") WHERE state = 'running';--> statement-breakpoint
CREATE INDEX "jobs_finished" ON "jobs" USING btree ("finished_at");--> statement-breakpoint
CREATE INDEX "sessions_user" ON "sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "sign_in_links_user" ON "sign_in_links" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "keys_workspace" ON "keys" USING btree ("workspace_id","id");--> statement-breakpoint
CREATE INDEX "members_user" ON "members" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "projects_name" ON "projects" USING btree ("workspace_id","name_key");--> statement-breakpoint
CREATE POLICY "tenant" ON "balances" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant" ON "budgets" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant_read" ON "charges" AS PERMISSIVE FOR SELECT TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant_append" ON "charges" AS PERMISSIVE FOR INSERT TO "pilvi_tenant" WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "reservations" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "usage_days" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "batches" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "comparison_flips" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "comparisons" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "gate_rules" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "dataset_versions" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "datasets" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "upload_parts" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "uploads" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "deployment_counts" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "deployments" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "endpoints" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "alerts" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "monitor_references" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "monitor_reports" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "monitors" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "prediction_log_parts" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "prediction_log_servers" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "serving_states" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "model_aliases" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant_read" ON "model_versions" AS PERMISSIVE FOR SELECT TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant_append" ON "model_versions" AS PERMISSIVE FOR INSERT TO "pilvi_tenant" WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "models" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "release_lines" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "releases" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "trainings" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "update_policies" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "updates" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant_publish" ON "outbox_events" AS PERMISSIVE FOR INSERT TO "pilvi_tenant" WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and (project_id is null or coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)));--> statement-breakpoint
CREATE POLICY "tenant" ON "idempotency_keys" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant" ON "job_events" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "jobs" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "audit_heads" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant_read" ON "audit_lines" AS PERMISSIVE FOR SELECT TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant_append" ON "audit_lines" AS PERMISSIVE FOR INSERT TO "pilvi_tenant" WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true));--> statement-breakpoint
CREATE POLICY "tenant" ON "keys" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') = '') WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') = '');--> statement-breakpoint
CREATE POLICY "tenant_read" ON "signing_keys" AS PERMISSIVE FOR SELECT TO "pilvi_tenant" USING (true);--> statement-breakpoint
CREATE POLICY "tenant" ON "members" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') = '') WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') = '');--> statement-breakpoint
CREATE POLICY "tenant" ON "projects" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)) WITH CHECK (workspace_id = current_setting('pilvi.workspace_id', true) and coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id));--> statement-breakpoint
CREATE POLICY "tenant" ON "workspaces" AS PERMISSIVE FOR ALL TO "pilvi_tenant" USING (id = current_setting('pilvi.workspace_id', true)) WITH CHECK (id = current_setting('pilvi.workspace_id', true));