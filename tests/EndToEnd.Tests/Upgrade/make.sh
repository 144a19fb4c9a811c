#!/bin/bash
# Makes an archive of what an earlier commit leaves when its worker is killed in the middle of pre-training: the database with
# Hangfire's schema (dump.sql), the sealed folders (objects/), and the discriminator with which that commit itself ends
# (expected.safetensors; processor.txt: the processor that made it, as other kinds round otherwise).
#
#   make.sh 027dd0b first-schema.tar.gz
#
# Needs the .NET SDK and PostgreSQL's programs. The archive is kept in the repository; make it anew only for another commit.
set -euo pipefail
commit=$1
target=$(realpath -m "$2")
repository=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
work=$(mktemp -d)
worker=
finish() {
    [ -z "$worker" ] || kill -9 "$worker" 2> /dev/null || true
    [ ! -f "$ELECTRA_DATA/postgresql/data/postmaster.pid" ] || kill -INT "$(head -1 "$ELECTRA_DATA/postgresql/data/postmaster.pid")"
    sleep 3
    rm -rf "$work"
}
export ELECTRA_DATA=$work/data
unset ELECTRA_DATABASE ELECTRA_TOKEN
trap finish EXIT

git clone --quiet "$repository" "$work/source"
git -C "$work/source" checkout --quiet "$commit"
dotnet build "$work/source/Cli" -c Release -v q --nologo
electra=$work/source/Cli/bin/Release/net10.0/electra

mkdir "$work/corpus"
awk 'BEGIN {
    srand(1); split("the cat,a dog,my friend,the old man,this bird,our teacher", s, ",")
    split("sees,likes,finds,follows,paints,hears", v, ","); split("a red house,the blue river,an apple,the green hill,some bread,the moon", o, ",")
    for (d = 0; d < 120; d++) { for (l = 2 + int(4 * rand()); l > 0; l--) print s[1 + int(6 * rand())], v[1 + int(6 * rand())], o[1 + int(6 * rand())] "."; print "" }
}' > "$work/corpus/sentences.txt"
cat > "$work/tiny.json" << 'END'
{
  "name": "tiny",
  "seed": 1,
  "corpus": { "paths": ["corpus"], "parts": 2 },
  "vocabulary": { "size": 100 },
  "examples": { "sequenceLength": 16, "heldOutShare": 0.1 },
  "model": { "preset": "tiny", "layers": 1, "hiddenSize": 16, "intermediateSize": 16, "attentionHeads": 2, "embeddingSize": 16, "maxPositions": 16 },
  "pretrain": {
    "steps": 600, "batchSize": 8, "microBatchSize": 8, "warmupSteps": 5, "checkpointSteps": 100, "keepCheckpoints": 1, "evaluateSteps": 0,
    "logSteps": 100, "device": "cpu", "replicas": 1
  },
  "evaluate": { "maxExamples": 16 }
}
END

query() {
    "$bin/psql" -h "$ELECTRA_DATA/postgresql/socket" -U electra -At -F $'\t' electra -c "$1"
}
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)

"$electra" run "$work/tiny.json" --watch > "$work/run.log" 2>&1 &
worker=$!
until [ "$(query "select count(*) from electra.checkpoint where step >= 200" 2> /dev/null || echo 0)" -gt 0 ]; do
    kill -0 "$worker" || { cat "$work/run.log"; exit 1; }
    sleep 0.1
done
kill -9 "$worker"
sleep 2
[ "$(query "select state from electra.stage_run where stage = 'pretrain'")" = running ] || { echo "killed too late"; exit 1; }
mkdir "$work/archive"
"$bin/pg_dump" -h "$ELECTRA_DATA/postgresql/socket" -U electra --inserts --no-owner --no-privileges electra | grep -v '^\\' > "$work/archive/dump.sql"
cp -r "$ELECTRA_DATA/objects" "$work/archive/objects"

"$electra" worker > "$work/worker.log" 2>&1 &
worker=$!
until [ "$(query "select state from electra.run")" = succeeded ]; do
    kill -0 "$worker" || { cat "$work/worker.log"; exit 1; }
    sleep 0.5
done
output=$(query "select output_digest from electra.stage_run where stage = 'pretrain'")
cp "$ELECTRA_DATA/objects/${output:0:2}/$output/discriminator/model.safetensors" "$work/archive/expected.safetensors"
grep -m1 '^model name' /proc/cpuinfo | cut -d: -f2 | xargs > "$work/archive/processor.txt"
tar --sort=name --owner=0 --group=0 --mtime='2026-01-01' -C "$work/archive" -cf - . | gzip -9n > "$target"
ls -l "$target"
