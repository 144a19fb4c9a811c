-- The deeds of people among the many events of workers: what the audit log shows.
set search_path to electra;

create index event_of_people_idx on event (id desc) where actor like 'user:%';
