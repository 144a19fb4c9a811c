using System.Text.Json;
using System.Text.Json.Serialization;
using ElectraPipeline.Dashboard.Api;
using ElectraPipeline.Dashboard.Assets;
using ElectraPipeline.Dashboard.Charts;
using ElectraPipeline.Dashboard.Pages;
using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Accounts;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Storage.Runs;
using Hangfire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace ElectraPipeline.Dashboard;

/// <summary>The web application: pages, REST API under /api, Hangfire's pages under /hangfire, /health.</summary>
public static class DashboardApplication
{
    /// <summary>
    /// Registers the dashboard and binds Kestrel to its address, whatever ASPNETCORE_URLS says. Needs what
    /// AddElectraClient or AddElectraWorker register, and <see cref="Database"/>, among the services.
    /// </summary>
    /// <exception cref="DashboardOptionsException">
    /// The options are malformed, or would open the dashboard to the network without a token.
    /// </exception>
    public static IServiceCollection AddElectraDashboard(this IServiceCollection services, DashboardOptions options)
    {
        options.Validate();
        services.AddSingleton(options);
        services.Configure<KestrelServerOptions>(kestrel => Listen(kestrel, options));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new Queries(provider.GetRequiredService<Database>().DataSource));
        services.TryAddSingleton(provider => new AccountStore(provider.GetRequiredService<Database>().DataSource));
        services.TryAddSingleton(provider => new AuditLog(provider.GetRequiredService<Database>().DataSource));
        services.TryAddSingleton(provider => new RunStore(provider.GetRequiredService<Database>().DataSource));
        services.TryAddSingleton(provider => new PauseStore(provider.GetRequiredService<Database>().DataSource));
        services.AddSingleton<RunCharts>();
        services.AddSingleton<RunReader>();
        services.AddSingleton<RunActions>();
        services.AddRazorComponents();
        services.AddSingleton<LoginThrottle>();
        services.AddSingleton<LoginRefusals>();
        services.AddHostedService(provider => provider.GetRequiredService<LoginRefusals>());
        services.AddSingleton<KnownBrowser>();
        services.AddSingleton<LoginServices>();
        services.AddAntiforgery(antiforgery =>
        {
            antiforgery.HeaderName = AntiforgeryCheck.HeaderName;
            antiforgery.Cookie.Name = "electra.antiforgery";
            antiforgery.Cookie.SameSite = SameSiteMode.Strict;
            antiforgery.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            antiforgery.SuppressXFrameOptionsHeader = true; // SecurityHeaders sets a stricter one.
        });
        Access.AddTo(services, options);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
            json.SerializerOptions.NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals;
        });
        IDataProtectionBuilder keys = services.AddDataProtection().SetApplicationName("electra");
        if (options.KeysFolder is { } folder)
        {
            // Whoever reads the keys can make a cookie for anybody.
            keys.PersistKeysToFileSystem(PrivateFolder.Make(folder));
        }

        return services;
    }

    /// <summary>Puts the dashboard's middleware and routes into the application.</summary>
    public static WebApplication UseElectraDashboard(this WebApplication application)
    {
        DashboardOptions options = application.Services.GetRequiredService<DashboardOptions>();
        application.UseSecurityHeaders();
        UseProxies(application, options);
        application.UseExceptionHandler(failure => failure.Run(AnswerFailureAsync));
        application.UseRouting();
        application.UseAuthentication();
        application.UseAuthorization();
        application.UseHangfireAudit();
        MapRoutes(application, options);
        return application;
    }

    private static void MapRoutes(WebApplication application, DashboardOptions options)
    {
        application.MapAssets();
        application.MapHealth();
        if (options.RequiresLogin)
        {
            application.MapLogin(options.HasToken ? new AccessToken(options.AccessToken!) : null);
        }

        RouteGroupBuilder pages = Guarded(application.MapGroup(""));
        pages.MapRunPages();
        pages.MapRunForms();
        pages.MapRegistryPages();
        pages.MapSchedulePages();
        pages.MapWorkerPages();
        pages.MapAuditPages();
        pages.MapFallback((HttpContext context) => MessagePage.NotFound($"There is no page {context.Request.Path}."));

        RouteGroupBuilder api = Guarded(application.MapGroup("/api"));
        api.MapReadApi();
        api.MapRunActions();
        api.MapFallback((HttpContext context) => ReadEndpoints.Missing($"there is nothing at {context.Request.Path}"));

        application
            .MapHangfireDashboard(
                "/hangfire",
                new Hangfire.DashboardOptions
                {
                    Authorization = [new HangfireAccess()],
                    AppPath = "/runs",
                    DashboardTitle = "Hangfire · ElectraPipeline",
                    DisplayStorageConnectionString = false,
                    IsReadOnlyFunc = HangfireAccess.IsReadOnly,
                }
            )
            .RequireAuthorization(Access.Policy);
    }

    // The framework's own antiforgery check covers forms only and lets the endpoint decide; ours covers every POST and answers 400.
    private static RouteGroupBuilder Guarded(RouteGroupBuilder group) =>
        group
            .RequireAuthorization(Access.Policy)
            .DisableAntiforgery()
            .AddEndpointFilter<RouteGroupBuilder, AntiforgeryCheck>()
            .AddEndpointFilter<RouteGroupBuilder, OperatorCheck>();

    private static void Listen(KestrelServerOptions kestrel, DashboardOptions options)
    {
        kestrel.AddServerHeader = false;
        if (options.Address == "*")
        {
            kestrel.ListenAnyIP(options.Port);
        }
        else
        {
            kestrel.Listen(options.ListenAddress(), options.Port);
        }
    }

    private static void UseProxies(WebApplication application, DashboardOptions options)
    {
        if (options.TrustedProxies.Count == 0)
        {
            return;
        }

        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
        };
        forwarded.KnownIPNetworks.Clear();
        forwarded.KnownProxies.Clear();
        foreach (System.Net.IPAddress proxy in options.ProxyAddresses())
        {
            forwarded.KnownProxies.Add(proxy);
        }

        application.UseForwardedHeaders(forwarded);
    }

    /// <summary>The log has the exception; the visitor gets what helps to find it there.</summary>
    private static Task AnswerFailureAsync(HttpContext context)
    {
        Exception? error = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        int status = error is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError;
        string message =
            error is BadHttpRequestException
                ? "The request is malformed."
                : $"Something failed; the server's log says what, under {context.TraceIdentifier}.";
        IResult result = context.Request.Path.StartsWithSegments("/api")
            ? Results.Problem(message, statusCode: status)
            : new RazorComponentResult<MessagePage>(new { Title = "That did not work", Message = message }) { StatusCode = status };
        return result.ExecuteAsync(context);
    }
}
