using System.Net;
using System.Net.Sockets;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>A try to log in.</summary>
/// <param name="Address">Where it comes from.</param>
/// <param name="Account">The account it is for; null: none, but the access token in a header.</param>
/// <param name="Browser">The browser, if it logged in to the account before: what <see cref="KnownBrowser.Of"/> says.</param>
internal sealed record LoginTry(IPAddress? Address, string? Account, string? Browser = null);

/// <summary>
/// How often secrets may be tried in a minute: from one address, for one account, and passwords by all together. Who guesses from one
/// place shuts out neither others nor the owner of the account; who guesses one account from many places shuts out that account; all
/// together keep the cost of hashing bounded. A try that succeeds does not count. Nobody can shut out a browser that logged in to the
/// account before, which has tries of its own, nor the access token in a header, which is too long to be guessed and cheap to compare.
/// </summary>
/// <remarks>
/// Memory is fixed: counters lie in tables that keys are hashed into, with a seed of this process (<see cref="HashCode"/>), so that nobody
/// can aim at another's counter. Keys that share one share its limit. Tries that are refused count nowhere, so of the 4,096 counters by
/// address twelve at most can stand at their limit for passwords.
/// </remarks>
internal sealed class LoginThrottle(TimeProvider clock)
{
    /// <summary>Failed tries a minute from one address; of IPv6 from one /64, as a visitor has all of it.</summary>
    public const int FromOneAddress = 20;

    /// <summary>Failed tries a minute for one account, from all addresses.</summary>
    public const int ForOneAccount = 60;

    /// <summary>Failed tries a minute of passwords in all.</summary>
    public const int InAll = 240;

    /// <summary>Failed tries a minute of one browser that logged in to the account before.</summary>
    public const int FromOneBrowser = 10;

    private const int TableSize = 4_096;
    private const int Ipv6NetworkBytes = 8;

    private readonly Lock gate = new();
    private readonly int[] byAddress = new int[TableSize];
    private readonly int[] byAccount = new int[TableSize];
    private readonly int[] byBrowser = new int[TableSize];
    private readonly int[] inAll = new int[1];
    private long minute;

    /// <summary>Counts a try. False: a limit is reached, and nothing may be compared with a secret before the minute is over.</summary>
    public bool TryBegin(LoginTry login)
    {
        Counter[] counters = [.. CountersOf(login)];
        lock (gate)
        {
            BeginMinute();
            if (counters.Any(counter => counter.Table[counter.Slot] >= counter.Limit))
            {
                return false;
            }

            Array.ForEach(counters, counter => counter.Table[counter.Slot]++);
            return true;
        }
    }

    /// <summary>Takes back what <see cref="TryBegin"/> counted: the secret was right.</summary>
    public void Succeeded(LoginTry login)
    {
        Counter[] counters = [.. CountersOf(login)];
        lock (gate)
        {
            BeginMinute();

            // A success of the minute before must not leave less than nothing.
            Array.ForEach(counters, counter => counter.Table[counter.Slot] = Math.Max(0, counter.Table[counter.Slot] - 1));
        }
    }

    /// <summary>The part of an address that counts as one visitor: of IPv6 the network, all of others.</summary>
    public static ReadOnlySpan<byte> NetworkOf(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        byte[] bytes = plain.GetAddressBytes();
        return plain.AddressFamily == AddressFamily.InterNetworkV6 ? bytes.AsSpan(0, Ipv6NetworkBytes) : bytes;
    }

    private IEnumerable<Counter> CountersOf(LoginTry login)
    {
        if (login.Browser is { } browser)
        {
            return [new Counter(byBrowser, SlotOf(HashCode.Combine(browser)), FromOneBrowser)];
        }

        var hash = new HashCode();
        if (login.Address is { } address)
        {
            hash.AddBytes(NetworkOf(address));
        }

        var ofAddress = new Counter(byAddress, SlotOf(hash.ToHashCode()), FromOneAddress);
        return login.Account is { } account
            ? [ofAddress, new Counter(byAccount, SlotOf(HashCode.Combine(account)), ForOneAccount), new Counter(inAll, 0, InAll)]
            : [ofAddress];
    }

    private static int SlotOf(int hash) => (int)((uint)hash % TableSize);

    private void BeginMinute()
    {
        long now = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
        if (now != minute)
        {
            minute = now;
            Array.Clear(inAll);
            Array.Clear(byAddress);
            Array.Clear(byAccount);
            Array.Clear(byBrowser);
        }
    }

    private sealed record Counter(int[] Table, int Slot, int Limit);
}
