using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>Verifies shards: every byte against its hashes, every record against its rules, every folder against its manifest.</summary>
public static class ShardVerifier
{
    /// <summary>Verifies the shard, or all shards in the folder and below it, with the manifests beside them.</summary>
    /// <exception cref="PermanentException">There is no shard.</exception>
    public static ShardVerification Verify(string path, CancellationToken cancellationToken)
    {
        bool whole = Directory.Exists(path);
        var faults = new List<ShardFault>();
        var checks = new Dictionary<string, ShardFileCheck>();
        foreach (
            IGrouping<string, string> folder in ShardFolders.FilesOf(path).GroupBy(file => Path.GetDirectoryName(Path.GetFullPath(file))!)
        )
        {
            Vocabulary? vocabulary = VocabularyOf(folder.Key, faults);
            foreach (string file in folder)
            {
                var check = new ShardFileCheck(file);
                check.Run(vocabulary, cancellationToken);
                checks.Add(Path.GetFullPath(file), check);
                faults.AddRange(check.Faults);
            }
        }

        ILookup<string, string> names = checks.Keys.ToLookup(file => Path.GetDirectoryName(file)!, file => Path.GetFileName(file)!);
        foreach (string folder in names.Select(folder => folder.Key).Union(whole ? EmptiedFolders(path) : []))
        {
            CheckManifest(folder, names[folder], checks, whole, faults);
        }

        return new ShardVerification(
            checks.Count,
            checks.Values.Sum(check => check.Bytes),
            checks.Values.Sum(check => (long)(check.Header?.Count ?? 0)),
            faults
        );
    }

    private static Vocabulary? VocabularyOf(string folder, List<ShardFault> faults)
    {
        string path = Path.Combine(folder, VocabularyStore.VocabularyName);
        try
        {
            return File.Exists(path) ? Vocabulary.Load(path) : null;
        }
        catch (PermanentException exception)
        {
            faults.Add(new ShardFault(path, "file", null, 0, 0, exception.Message));
            return null;
        }
    }

    /// <summary>Folders whose manifest is one of shards though none may be left there. Manifests of other kinds do not parse.</summary>
    private static IEnumerable<string> EmptiedFolders(string path) =>
        Directory
            .EnumerateFiles(Path.GetFullPath(path), ShardsManifest.FileName, SearchOption.AllDirectories)
            .Select(file => Path.GetDirectoryName(file)!)
            .Where(folder => TryRead(folder) is not null)
            .Order(StringComparer.Ordinal);

    private static ShardsManifest? TryRead(string folder)
    {
        try
        {
            return ShardsManifest.Read(folder);
        }
        catch (PermanentException)
        {
            return null;
        }
    }

    private static void CheckManifest(
        string folder,
        IEnumerable<string> names,
        Dictionary<string, ShardFileCheck> checks,
        bool whole,
        List<ShardFault> faults
    )
    {
        string path = Path.Combine(folder, ShardsManifest.FileName);
        void Fault(string problem) => faults.Add(new ShardFault(path, "manifest", null, 0, 0, problem));
        if (!File.Exists(path))
        {
            if (whole)
            {
                Fault("is missing: without it, lost and exchanged shards are not found");
            }

            return;
        }

        if (TryRead(folder) is not { } manifest)
        {
            Fault("is damaged, or not a manifest of shards");
            return;
        }

        foreach (ShardFile listed in manifest.Shards)
        {
            bool found = checks.TryGetValue(Path.Combine(folder, listed.Name), out ShardFileCheck? check);
            if (!found && whole)
            {
                Fault($"lists {listed.Name}, which is missing");
            }
            else if (found && check!.Faults.Count == 0)
            {
                CheckFile(listed, check, manifest, Fault);
            }
        }

        foreach (string name in names)
        {
            if (!manifest.Shards.Any(listed => listed.Name == name))
            {
                Fault($"does not list {name}, which is there");
            }
        }
    }

    /// <summary>A file that is whole but may be another than the manifest means.</summary>
    private static void CheckFile(ShardFile listed, ShardFileCheck check, ShardsManifest manifest, Action<string> fault)
    {
        if (check.Bytes != listed.Bytes || check.Sha256 != listed.Sha256)
        {
            fault($"says of {listed.Name}: {listed.Bytes} bytes, SHA-256 {listed.Sha256}; it has {check.Bytes} and {check.Sha256}");
        }

        string vocabulary = Convert.ToHexStringLower(check.Header!.Vocabulary);
        if (vocabulary != manifest.VocabularyDigest)
        {
            fault($"names the vocabulary {manifest.VocabularyDigest}; {listed.Name} was made with {vocabulary}");
        }

        int? counted = ShardFolders.SplitOf(listed.Name) switch
        {
            Split.Train => manifest.Counts.TrainExamples,
            Split.HeldOut => manifest.Counts.HeldOutExamples,
            _ => null,
        };
        if (counted is { } count && count != check.Header.Count)
        {
            fault($"counts {count} examples in {listed.Name}; it has {check.Header.Count}");
        }
    }
}
