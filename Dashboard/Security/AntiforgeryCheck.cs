using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>
/// Refuses a POST without the antiforgery token of the visitor's cookie (form field or header), 400. A request that carries the access
/// token in its header passes: no browser adds that header for another site.
/// </summary>
internal sealed class AntiforgeryCheck(IAntiforgery antiforgery) : IEndpointFilter
{
    /// <summary>The header for clients that send no form.</summary>
    public const string HeaderName = "X-Electra-Antiforgery";

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        HttpContext http = context.HttpContext;
        if (
            HttpMethods.IsPost(http.Request.Method)
            && http.User.Identity?.AuthenticationType != Access.BearerScheme
            && !await antiforgery.IsRequestValidAsync(http)
        )
        {
            return TypedResults.Problem(
                "The antiforgery token is missing or old. Reload the page and try again; scripts fetch one from /api/antiforgery "
                    + $"and send it as {HeaderName}.",
                statusCode: StatusCodes.Status400BadRequest,
                title: "Not accepted"
            );
        }

        return await next(context);
    }
}
