-- Models that no run of ours pre-trained: imported ones have neither run nor dataset, and a run that only fine-tunes has no dataset of
-- its own. What they come from is said in "source".
set search_path to electra;

alter table model_version
    alter column dataset drop not null,
    alter column dataset_version drop not null,
    alter column run_id drop not null,
    add column source jsonb, -- {"imported": {"format", "files"}} or {"from": {"model", "version"}}; null: the run's own pre-training
    add constraint model_version_has_an_origin check (run_id is not null or source is not null),
    add constraint model_version_dataset_is_whole check ((dataset is null) = (dataset_version is null));
