-- The run's graph, leases, attempts and results. Hangfire only nudges; these tables decide and remember (docs/durability.md).
-- Everything lives in the schema "electra"; Hangfire keeps its own schema beside it.
create schema if not exists electra;
set search_path to electra;

create type run_state as enum ('running', 'succeeded', 'failed', 'cancelled');
-- blocked: waits for parents. ready: may be claimed. running: leased. reused: a sealed output with the same fingerprint was taken.
create type stage_state as enum ('blocked', 'ready', 'running', 'succeeded', 'reused', 'failed', 'cancelled');

create table run (
    id            bigint generated always as identity primary key,
    name          text not null,
    config        jsonb not null,
    config_digest text not null,
    trigger       text not null,               -- 'user', 'schedule:NAME', 'demo'
    state         run_state not null default 'running',
    code_version  text not null,
    created_at    timestamptz not null default clock_timestamp(),
    finished_at   timestamptz
);
create index run_state_idx on run (state, id desc);

create table stage_run (
    id                   bigint generated always as identity primary key,
    run_id               bigint not null references run (id) on delete cascade,
    stage                text not null,            -- 'ingest', 'tokenize', ...: stored for ever, never renamed
    shard                text not null default '', -- which of a fanned-out stage: '0003', or a fine-tuning task's name
    ordinal              int not null,             -- order of display
    queue                text not null default 'cpu',
    state                stage_state not null default 'blocked',
    pending_dependencies int not null default 0 check (pending_dependencies >= 0),
    attempt              int not null default 0,   -- counted at the claim, so that a stage that kills its process stops
    max_attempts         int not null default 3,
    lease_epoch          bigint not null default 0, -- the fencing token: only the holder of the newest may publish
    lease_owner          text,
    lease_until          timestamptz,
    available_at         timestamptz not null default clock_timestamp(), -- backoff: not claimed before
    enqueued_at          timestamptz,
    hangfire_job_id      text,
    waiting_for          text,                     -- resource slot that was full at the last nudge: 'training@HOST'
    fingerprint          text,
    output_digest        text,
    result               jsonb,                    -- small facts for people: counts, metrics
    reused_from          bigint,                   -- stage_run that made the output
    error                text,
    error_kind           text,                     -- 'permanent', 'retryable', 'died'
    progress_done        bigint,
    progress_total       bigint,
    progress_unit        text,
    started_at           timestamptz,
    finished_at          timestamptz,
    unique (run_id, stage, shard)
);
create index stage_run_ready_idx on stage_run (available_at) where state = 'ready';
create index stage_run_running_idx on stage_run (lease_until) where state = 'running';

create table stage_dependency (
    parent bigint not null references stage_run (id) on delete cascade,
    child  bigint not null references stage_run (id) on delete cascade,
    primary key (parent, child)
);
create index stage_dependency_child_idx on stage_dependency (child);

-- A sealed folder under objects/: its digest is the SHA-256 of its sorted file list (path, length, SHA-256).
create table artifact (
    digest     text primary key,
    kind       text not null,
    bytes      bigint not null,
    files      int not null,
    created_at timestamptz not null default clock_timestamp()
);

create table stage_cache (
    stage         text not null,
    fingerprint   text not null,
    output_digest text not null references artifact (digest),
    result        jsonb,
    stage_run_id  bigint not null,
    created_at    timestamptz not null default clock_timestamp(),
    primary key (stage, fingerprint)
);

create table checkpoint (
    stage_run_id bigint not null references stage_run (id) on delete cascade,
    step         bigint not null,
    epoch        bigint not null,
    fingerprint  text not null,      -- a checkpoint continues only the work it belongs to
    artifact     text not null references artifact (digest),
    created_at   timestamptz not null default clock_timestamp(),
    primary key (stage_run_id, step)
);

-- At most `capacity` holders of a resource on a host; leased like stages, renewed by the same heartbeat.
create table resource_slot (
    name      text not null,         -- 'training@HOST'
    ordinal   int not null,
    holder    bigint references stage_run (id) on delete set null,
    epoch     bigint not null default 0,
    until     timestamptz not null default '-infinity',
    primary key (name, ordinal)
);

create table worker (
    id           text primary key,   -- HOST:PID:START
    host         text not null,
    queues       text[] not null,
    code_version text not null,
    started_at   timestamptz not null default clock_timestamp(),
    seen_at      timestamptz not null default clock_timestamp()
);

create table metric (
    stage_run_id bigint not null references stage_run (id) on delete cascade,
    name         text not null,
    step         bigint not null,
    value        double precision not null,
    recorded_at  timestamptz not null default clock_timestamp(),
    primary key (stage_run_id, name, step)
);

create table stage_log (
    id           bigint generated always as identity primary key,
    stage_run_id bigint not null references stage_run (id) on delete cascade,
    attempt      int not null,
    recorded_at  timestamptz not null default clock_timestamp(),
    line         text not null
);
create index stage_log_idx on stage_log (stage_run_id, id desc);

-- Who did what, for ever.
create table event (
    id           bigint generated always as identity primary key,
    run_id       bigint references run (id) on delete set null,
    stage_run_id bigint references stage_run (id) on delete set null,
    actor        text not null,      -- 'user:NAME', 'worker:ID', 'schedule:NAME', 'reconciler'
    action       text not null,      -- 'run created', 'claimed', 'retry', 'cancel', ...
    detail       text,
    recorded_at  timestamptz not null default clock_timestamp()
);
create index event_run_idx on event (run_id, id desc);

create table dataset_version (
    dataset       text not null,
    version       int not null,
    digest        text not null,     -- of everything below that defines it
    corpus        text not null references artifact (digest),
    vocabulary    text not null references artifact (digest),
    shards        text[] not null,   -- artifact digests in shard order
    manifest      jsonb not null,    -- input digests, options, counts
    run_id        bigint not null,
    created_at    timestamptz not null default clock_timestamp(),
    primary key (dataset, version),
    unique (dataset, digest)
);

create table model_version (
    model           text not null,
    version         int not null,
    artifact        text not null references artifact (digest),
    config          jsonb not null,
    metrics         jsonb not null,
    dataset         text not null,
    dataset_version int not null,
    finetuned       jsonb not null default '{}',  -- task name -> artifact digest and metrics
    code_version    text not null,
    run_id          bigint not null,
    created_at      timestamptz not null default clock_timestamp(),
    primary key (model, version),
    foreign key (dataset, dataset_version) references dataset_version (dataset, version)
);

create table model_alias (
    model      text not null,
    alias      text not null,
    version    int not null,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (model, alias),
    foreign key (model, version) references model_version (model, version)
);

-- The truth about schedules; Hangfire's recurring jobs are made from it.
create table schedule (
    name       text primary key,
    cron       text not null,
    time_zone  text not null,
    config     jsonb not null,
    enabled    boolean not null default true,
    created_at timestamptz not null default clock_timestamp()
);
