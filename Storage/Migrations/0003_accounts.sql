-- Who may log in to the dashboard by name and password, beside the access token.
set search_path to electra;

create table account (
    name          text primary key check (name ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
    role          text not null check (role in ('viewer', 'operator')),
    password_hash text not null,
    created_at    timestamptz not null default clock_timestamp()
);
