namespace ElectraPipeline.Storage.PostgreSql;

/// <summary>
/// The account the server runs as. PostgreSQL refuses root, so root hands it to "postgres", or to "nobody" where there is none.
/// </summary>
/// <param name="Name">Account name.</param>
/// <param name="UserId">Its user id.</param>
/// <param name="GroupId">Its primary group.</param>
/// <param name="IsOther">Whether it is another account than ours, so that files must be given to it.</param>
internal sealed record ServerAccount(string Name, uint UserId, uint GroupId, bool IsOther)
{
    /// <summary>The account for this process.</summary>
    /// <exception cref="StorageException">Root, and neither account exists or setpriv is missing; or a user without a name.</exception>
    public static ServerAccount Choose()
    {
        if (NativeFile.EffectiveUserId != 0)
        {
            if (Environment.UserName.Length == 0)
            {
                throw new StorageException(
                    $"PostgreSQL needs the name of its user, and user id {NativeFile.EffectiveUserId} has none in /etc/passwd. Give it one "
                        + $"(useradd --uid {NativeFile.EffectiveUserId} electra), run as another user, or set ELECTRA_DATABASE to a "
                        + "server's connection string."
                );
            }

            return new ServerAccount(Environment.UserName, 0, 0, false);
        }

        if (FindSetpriv() is null)
        {
            throw new StorageException(
                "PostgreSQL does not run as root, and setpriv (package util-linux), which would start it as another user, is missing. "
                    + "Install it, run as an ordinary user, or give a connection string."
            );
        }

        var accounts = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(fields => fields.Length >= 4).ToList();
        string[] fields =
            accounts.Find(account => account[0] == "postgres")
            ?? accounts.Find(account => account[0] == "nobody")
            ?? throw new StorageException(
                "PostgreSQL does not run as root, and /etc/passwd has neither 'postgres' nor 'nobody' to run it as. Run as an "
                    + "ordinary user."
            );
        return new ServerAccount(fields[0], uint.Parse(fields[2]), uint.Parse(fields[3]), true);
    }

    /// <summary>The command line that runs a program as this account.</summary>
    /// <param name="program">Program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="folder">Folder it must reach.</param>
    public (string Program, IReadOnlyList<string> Arguments) CommandFor(string program, IReadOnlyList<string> arguments, string folder)
    {
        if (!IsOther)
        {
            return (program, arguments);
        }

        // A data folder below a private one (/root) could not be reached by the account; the capability lets it through. It is not
        // given where it is not needed.
        string[] reach = IsReachable(folder) ? [] : ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
        return (FindSetpriv()!, [$"--reuid={UserId}", $"--regid={GroupId}", "--clear-groups", .. reach, "--", program, .. arguments]);
    }

    /// <summary>Gives a file or folder to the account, if it is not ours.</summary>
    public void Own(string path)
    {
        if (IsOther)
        {
            NativeFile.ChangeOwner(path, UserId, GroupId);
        }
    }

    private static string? FindSetpriv() => Array.Find(["/usr/bin/setpriv", "/bin/setpriv", "/usr/local/bin/setpriv"], File.Exists);

    private static bool IsReachable(string folder)
    {
        for (string? parent = Path.GetDirectoryName(folder); parent is not null; parent = Path.GetDirectoryName(parent))
        {
            if (OperatingSystem.IsWindows() || (File.GetUnixFileMode(parent) & UnixFileMode.OtherExecute) == 0)
            {
                return false;
            }
        }

        return true;
    }
}
