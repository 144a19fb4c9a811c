using System.Net;
using System.Text.RegularExpressions;
using ElectraPipeline.Jobs;
using ElectraPipeline.Storage;
using ElectraPipeline.TestSupport;
using Hangfire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>The dashboard on a free port of 127.0.0.1 over a fresh database, and a visitor who keeps cookies.</summary>
internal sealed partial class RunningDashboard : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private WebApplication application = null!;

    private RunningDashboard() { }

    public ElectraStorage Storage { get; private set; } = null!;

    public HttpClient Visitor { get; private set; } = null!;

    public IReadOnlyList<Endpoint> Endpoints => application.Services.GetRequiredService<EndpointDataSource>().Endpoints;

    public IEnumerable<RouteEndpoint> Routes => Endpoints.OfType<RouteEndpoint>();

    /// <summary>Hangfire's storage, as the dashboard's own process knows it.</summary>
    public JobStorage Jobs => application.Services.GetRequiredService<JobStorage>();

    /// <summary>A path of the dashboard as a whole address.</summary>
    public string Url(string path) => new Uri(Visitor.BaseAddress!, path).ToString();

    /// <summary>A service of the dashboard.</summary>
    public T Service<T>()
        where T : notnull => application.Services.GetRequiredService<T>();

    public static Task<RunningDashboard> StartAsync(
        PostgresFixture postgres,
        string? token = null,
        Func<ElectraStorage, Task>? prepare = null,
        params string[] trustedProxies
    ) => StartAsync(postgres, TimeProvider.System, token, prepare, trustedProxies);

    public static async Task<RunningDashboard> StartAsync(
        PostgresFixture postgres,
        TimeProvider clock,
        string? token = null,
        Func<ElectraStorage, Task>? prepare = null,
        params string[] trustedProxies
    )
    {
        var dashboard = new RunningDashboard();
        dashboard.Storage = await postgres.OpenStorageAsync(dashboard.folder.Path);
        await (prepare?.Invoke(dashboard.Storage) ?? Task.CompletedTask);
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton(dashboard.Storage.Database);
        builder.Services.AddElectraClient(dashboard.Storage);
        builder.Services.AddElectraDashboard(
            new DashboardOptions
            {
                Port = 0,
                AccessToken = token,
                HasAccounts = prepare is not null,
                TrustedProxies = trustedProxies,
                KeysFolder = dashboard.folder["keys"],
            }
        );
        dashboard.application = builder.Build().UseElectraDashboard();
        await dashboard.application.StartAsync();
        string address = dashboard
            .application.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.Single();
        dashboard.Visitor = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() })
        {
            BaseAddress = new Uri(address),
        };
        return dashboard;
    }

    /// <summary>Posts a form as a browser does after it has read <paramref name="page"/>: with that page's antiforgery token.</summary>
    public Task<HttpResponseMessage> PostFromAsync(string page, string action, params (string Name, string Value)[] fields) =>
        PostFromAsync(Visitor, page, action, fields);

    /// <summary>Logs in with a password, or the access token.</summary>
    /// <param name="name">Name of the account, or any.</param>
    /// <param name="secret">The password or token.</param>
    /// <param name="visitor">Who does it; null: <see cref="Visitor"/>.</param>
    public Task<HttpResponseMessage> LoginAsync(string name, string secret, HttpClient? visitor = null) =>
        PostFromAsync(visitor ?? Visitor, "/login", "/login", ("name", name), ("secret", secret), ("returnUrl", "/runs"));

    /// <summary>Another visitor who keeps cookies, at an address of 127.0.0.0/8.</summary>
    public HttpClient VisitorAt(string address) => ReverseProxy.From(address, Visitor.BaseAddress!, keepsCookies: true);

    public async ValueTask DisposeAsync()
    {
        Visitor.Dispose();
        await application.DisposeAsync();
        await Storage.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>As another visitor.</summary>
    public static async Task<HttpResponseMessage> PostFromAsync(
        HttpClient visitor,
        string page,
        string action,
        params (string Name, string Value)[] fields
    )
    {
        string html = await visitor.GetStringAsync(page);
        string token = AntiforgeryField().Match(html).Groups[1].Value;
        var form = fields
            .Append((Name: "__RequestVerificationToken", Value: WebUtility.HtmlDecode(token)))
            .ToDictionary(field => field.Name, field => field.Value);
        return await visitor.PostAsync(action, new FormUrlEncodedContent(form));
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex AntiforgeryField();
}
