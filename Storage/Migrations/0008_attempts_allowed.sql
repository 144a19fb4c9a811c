-- The attempts that a run's limits give a stage: "max_attempts" grows with each step forward, and a retry sets it back to this. For a while
-- migration 0006 added the column where it had not run before; where it had, runs could not be made any more.
set search_path to electra;

do $$
begin
    if not exists (
        select 1 from information_schema.columns where table_schema = 'electra' and table_name = 'stage_run' and column_name = 'attempts_allowed')
    then
        alter table stage_run add column attempts_allowed int not null default 3;
        update stage_run s set attempts_allowed = (l.value ->> 'attempts')::int
            from run r, jsonb_array_elements(coalesce(r.config -> 'limits', '[]')) l
            where r.id = s.run_id and l.value ->> 'stage' = s.stage and l.value ->> 'attempts' is not null;
    end if;
end
$$;
