using System.Net;
using System.Net.Sockets;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>
/// How often secrets may be tried in a minute: from one address, for one account, and by all together. Who guesses from one place shuts
/// out neither others nor the owner of the account; who guesses one account from many places shuts out that account; all together keep the
/// cost of hashing bounded. A try that succeeds does not count.
/// </summary>
/// <remarks>
/// Memory is fixed: counters lie in tables that keys are hashed into, with a seed of this process (<see cref="HashCode"/>), so that nobody
/// can aim at another's counter. Keys that share one share its limit. Tries that are refused count nowhere, so of the 4,096 counters of a
/// table twelve at most can stand at their limit.
/// </remarks>
internal sealed class LoginThrottle(TimeProvider clock)
{
    /// <summary>Failed tries a minute from one address; of IPv6 from one /64, as a visitor has all of it.</summary>
    public const int FromOneAddress = 20;

    /// <summary>Failed tries a minute for one account, from all addresses.</summary>
    public const int ForOneAccount = 60;

    /// <summary>Failed tries a minute in all.</summary>
    public const int InAll = 240;

    private const int TableSize = 4_096;
    private const int Ipv6NetworkBytes = 8;

    private readonly Lock gate = new();
    private readonly int[] byAddress = new int[TableSize];
    private readonly int[] byAccount = new int[TableSize];
    private long minute;
    private int inAll;

    /// <summary>Counts a try. False: a limit is reached, and nothing may be compared with a secret before the minute is over.</summary>
    /// <param name="address">Where it comes from.</param>
    /// <param name="account">The account it is for; null: none, but the access token, which is too long to be guessed from many places.</param>
    public bool TryBegin(IPAddress? address, string? account)
    {
        (int ofAddress, int? ofAccount) = SlotsOf(address, account);
        lock (gate)
        {
            BeginMinute();
            if (byAddress[ofAddress] >= FromOneAddress || (ofAccount is { } slot && byAccount[slot] >= ForOneAccount) || inAll >= InAll)
            {
                return false;
            }

            Count(ofAddress, ofAccount, 1);
            return true;
        }
    }

    /// <summary>Takes back what <see cref="TryBegin"/> counted: the secret was right.</summary>
    public void Succeeded(IPAddress? address, string? account)
    {
        (int ofAddress, int? ofAccount) = SlotsOf(address, account);
        lock (gate)
        {
            BeginMinute();
            Count(ofAddress, ofAccount, -1);
        }
    }

    private static (int OfAddress, int? OfAccount) SlotsOf(IPAddress? address, string? account)
    {
        var hash = new HashCode();
        if (address is not null)
        {
            byte[] bytes = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).GetAddressBytes();
            bool isWide = bytes.Length > Ipv6NetworkBytes && address.AddressFamily == AddressFamily.InterNetworkV6;
            hash.AddBytes(isWide ? bytes.AsSpan(0, Ipv6NetworkBytes) : bytes);
        }

        return (SlotOf(hash.ToHashCode()), account is null ? null : SlotOf(HashCode.Combine(account)));
    }

    private static int SlotOf(int hash) => (int)((uint)hash % TableSize);

    private void BeginMinute()
    {
        long now = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
        if (now != minute)
        {
            minute = now;
            inAll = 0;
            Array.Clear(byAddress);
            Array.Clear(byAccount);
        }
    }

    // A success of the minute before must not leave less than nothing.
    private void Count(int ofAddress, int? ofAccount, int change)
    {
        byAddress[ofAddress] = Math.Max(0, byAddress[ofAddress] + change);
        if (ofAccount is { } account)
        {
            byAccount[account] = Math.Max(0, byAccount[account] + change);
        }

        inAll = Math.Max(0, inAll + change);
    }
}
