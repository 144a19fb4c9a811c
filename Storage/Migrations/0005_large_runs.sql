-- Runs of thousands of stages: whether anything of a run is still to be done must not cost a look at all of its stages.
set search_path to electra;

create index stage_run_open_idx on stage_run (run_id) where state in ('ready', 'running');

-- The bucket that holds the sealed folders, so that every process looks there; no row: they are in the data folder.
create table artifact_location (
    singleton boolean primary key default true check (singleton), -- one row at most
    url       text not null                                        -- s3://BUCKET/PREFIX?region=...&endpoint=...; never credentials
);
