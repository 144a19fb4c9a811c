using ElectraPipeline.Dashboard.Pages;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Refuses a POST of somebody who may only look, 403.</summary>
internal sealed class OperatorCheck : IEndpointFilter
{
    private const string Refusal = "Your account may look, but not change anything; an operator can.";

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        HttpContext http = context.HttpContext;
        if (!HttpMethods.IsPost(http.Request.Method) || http.User.IsInRole(Access.Operator))
        {
            return await next(context);
        }

        return http.Request.Path.StartsWithSegments("/api")
            ? TypedResults.Problem(Refusal, statusCode: StatusCodes.Status403Forbidden, title: "Not allowed")
            : new RazorComponentResult<MessagePage>(new { Title = "Not allowed", Message = Refusal })
            {
                StatusCode = StatusCodes.Status403Forbidden,
            };
    }
}
