-- Pauses, priorities, and stages that wait for memory or a disk.
set search_path to electra;

-- What is not claimed while its row is here.
create table pause (
    scope      text not null check (scope in ('run', 'queue', 'worker', 'host')),
    subject    text not null,            -- id of the run, name of the queue, id of the worker (HOST:PID:START), name of the host
    interrupts boolean not null,         -- stages at work are given back, training with a checkpoint; else they go on to their ends
    actor      text not null,            -- 'user:NAME'
    created_at timestamptz not null default clock_timestamp(),
    primary key (scope, subject)
);

-- Of the ready stages of a queue the greater priority is claimed first. "error_kind" may be 'disk' from here on: the attempt was not
-- counted, and the stage waits until its host's disk takes files again.
alter table stage_run
    add column priority int not null default 0,
    add column memory_gb int;            -- what it takes of its host's memory; null: not counted
create index stage_run_priority_idx on stage_run (queue, priority desc, id) where state = 'ready';

-- Who waits for a slot that was freed is looked for after every stage that held one.
create index stage_run_waiting_idx on stage_run (waiting_for) where state = 'ready' and waiting_for is not null;
