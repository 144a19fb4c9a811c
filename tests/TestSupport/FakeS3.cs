using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.TestSupport;

/// <summary>
/// A FAKE of an S3-compatible server, at the level of its protocol: objects in memory, path-style requests, version 4 signatures, SHA-256
/// checksums, listings in pages, uploads in parts. It can be told to fail as real ones do.
/// </summary>
public sealed class FakeS3 : IAsyncDisposable
{
    public const string AccessKey = "fake-access-key";
    public const string SecretKey = "fake-secret-that-must-never-be-shown";
    private const string Bucket = "models";
    private const int PageSize = 3;
    private readonly ConcurrentDictionary<string, StoredObject> objects = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Upload> uploads = new();
    private readonly WebApplication server;

    private FakeS3(WebApplication server) => this.server = server;

    /// <summary>Whether it answers with the SHA-256 of what it stored, and refuses other bytes than were announced.</summary>
    public bool KnowsChecksums { get; set; } = true;

    /// <summary>May answer a request (method, key) with a status instead of doing it; null: it is done.</summary>
    public Func<string, string, int?> Refusal { get; set; } = (_, _) => null;

    /// <summary>Whether a request (method, key) is done, but its answer never comes.</summary>
    public Func<string, string, bool> LosesAnswer { get; set; } = (_, _) => false;

    /// <summary>Whether a request (method, key) breaks off in the middle of its body, or of its answer's.</summary>
    public Func<string, string, bool> Breaks { get; set; } = (_, _) => false;

    /// <summary>What is stored instead of the bytes sent.</summary>
    public Func<string, byte[], byte[]> Damage { get; set; } = (_, bytes) => bytes;

    /// <summary>Requests that were done, in order: "PUT KEY".</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    public ICollection<string> Keys => objects.Keys;

    public int UnfinishedUploads => uploads.Count;

    /// <summary>Variables that lead "electra" to a prefix of this server.</summary>
    public Dictionary<string, string?> Environment(string prefix) =>
        new()
        {
            ["ELECTRA_ARTIFACTS"] = Url(prefix),
            ["AWS_ACCESS_KEY_ID"] = AccessKey,
            ["AWS_SECRET_ACCESS_KEY"] = SecretKey,
        };

    /// <summary>Starts one on a free port of the loopback.</summary>
    public static async Task<FakeS3> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        WebApplication application = builder.Build();
        var fake = new FakeS3(application);
        application.Run(fake.AnswerAsync);
        await application.StartAsync();
        return fake;
    }

    public string Url(string prefix) => $"s3://{Bucket}/{prefix}?endpoint={Uri.EscapeDataString(server.Urls.Single())}";

    /// <summary>Changes a stored byte behind everybody's back.</summary>
    public void Rot(string key) => objects[key].Bytes[0] ^= 1;

    /// <summary>Makes all objects and unfinished uploads look as if they were stored and begun a while ago.</summary>
    public void Age(TimeSpan by)
    {
        foreach (string key in objects.Keys)
        {
            objects[key] = objects[key] with { ChangedAt = objects[key].ChangedAt - by };
        }

        foreach (string id in uploads.Keys)
        {
            uploads[id] = uploads[id] with { BegunAt = uploads[id].BegunAt - by };
        }
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string[] path = context.Request.Path.Value!.TrimStart('/').Split('/', 2);
        string key = path.Length > 1 ? path[1] : "";
        string method = context.Request.Method;
        if (method is "PUT" && context.Request.ContentLength is { } announced && Breaks(method, key))
        {
            await context.Request.Body.ReadAtLeastAsync(new byte[announced / 2], (int)(announced / 2));
            context.Abort();
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        if (Refusal(method, key) is { } status)
        {
            await FailAsync(context, status, status == 503 ? "SlowDown" : "AccessDenied");
        }
        else if (!AwsSignature.IsValid(context.Request, body.ToArray(), AccessKey, SecretKey))
        {
            await FailAsync(context, 403, KnowsKey(context.Request) ? "SignatureDoesNotMatch" : "InvalidAccessKeyId");
        }
        else if (path[0] != Bucket)
        {
            await FailAsync(context, 404, "NoSuchBucket");
        }
        else
        {
            Log.Enqueue($"{method} {key}");
            await DoAsync(context, key, body.ToArray());
        }
    }

    private Task DoAsync(HttpContext context, string key, byte[] body)
    {
        IQueryCollection query = context.Request.Query;
        return context.Request.Method switch
        {
            "GET" when query.ContainsKey("uploads") => ListUploadsAsync(context, query["prefix"].ToString()),
            "GET" when key.Length == 0 => ListAsync(context, query["prefix"].ToString(), query["continuation-token"].ToString()),
            "GET" => objects.TryGetValue(key, out StoredObject? found)
                ? GetAsync(context, key, found.Bytes)
                : FailAsync(context, 404, "NoSuchKey"),
            "PUT" => PutAsync(context, key, body),
            "POST" when query.ContainsKey("uploads") => BeginUploadAsync(context, key),
            "POST" => FinishUploadAsync(context, key, query["uploadId"].ToString(), body),
            "DELETE" => DeleteAsync(context, key, query["uploadId"].ToString()),
            _ => FailAsync(context, 405, "MethodNotAllowed"),
        };
    }

    private static bool KnowsKey(HttpRequest request) =>
        request.Headers.Authorization.ToString().Contains($"Credential={AccessKey}/", StringComparison.Ordinal);

    private async Task GetAsync(HttpContext context, string key, byte[] bytes)
    {
        context.Response.ContentLength = bytes.Length;
        bool breaks = Breaks("GET", key);
        await context.Response.Body.WriteAsync(breaks ? bytes.AsMemory(0, bytes.Length / 2) : bytes);
        if (breaks)
        {
            await context.Response.Body.FlushAsync();
            context.Abort();
        }
    }

    private async Task PutAsync(HttpContext context, string key, byte[] body)
    {
        string sum = Convert.ToBase64String(SHA256.HashData(body));
        string announced = context.Request.Headers["x-amz-checksum-sha256"].ToString();
        if (KnowsChecksums && announced.Length > 0 && announced != sum)
        {
            await FailAsync(context, 400, "BadDigest");
            return;
        }

        byte[] stored = Damage(key, body);
        if (context.Request.Query["partNumber"].ToString() is { Length: > 0 } part)
        {
            lock (uploads)
            {
                uploads[context.Request.Query["uploadId"].ToString()].Parts[int.Parse(part, CultureInfo.InvariantCulture)] = stored;
            }
        }
        else
        {
            objects[key] = new StoredObject(stored, DateTimeOffset.UtcNow);
        }

        if (LosesAnswer("PUT", key))
        {
            context.Abort();
            return;
        }

        context.Response.Headers.ETag = $"\"{Convert.ToHexStringLower(SHA256.HashData(stored))[..32]}\"";
        if (KnowsChecksums)
        {
            context.Response.Headers["x-amz-checksum-sha256"] = Convert.ToBase64String(SHA256.HashData(stored));
        }
    }

    private Task ListAsync(HttpContext context, string prefix, string after)
    {
        var found = objects
            .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(item.Key, after) > 0)
            .OrderBy(item => item.Key, StringComparer.Ordinal)
            .Take(PageSize + 1)
            .ToList();
        bool more = found.Count > PageSize;
        var page = found.Take(PageSize).ToList();
        return XmlAsync(
            context,
            new XElement(
                "ListBucketResult",
                new XElement("IsTruncated", more),
                new XElement("KeyCount", page.Count),
                more ? new XElement("NextContinuationToken", page[^1].Key) : null,
                page.Select(item => new XElement(
                    "Contents",
                    new XElement("Key", item.Key),
                    new XElement("LastModified", Moment(item.Value.ChangedAt)),
                    new XElement("Size", item.Value.Bytes.Length)
                ))
            )
        );
    }

    private Task BeginUploadAsync(HttpContext context, string key)
    {
        string id = Guid.NewGuid().ToString("N");
        uploads[id] = new Upload(key, DateTimeOffset.UtcNow, []);
        return XmlAsync(
            context,
            new XElement(
                "InitiateMultipartUploadResult",
                new XElement("Bucket", Bucket),
                new XElement("Key", key),
                new XElement("UploadId", id)
            )
        );
    }

    private Task FinishUploadAsync(HttpContext context, string key, string id, byte[] order)
    {
        var numbers = XDocument
            .Parse(Encoding.UTF8.GetString(order))
            .Descendants()
            .Where(element => element.Name.LocalName == "PartNumber");
        uploads.TryRemove(id, out Upload? upload);
        objects[key] = new StoredObject(
            [.. numbers.SelectMany(number => upload!.Parts[int.Parse(number.Value, CultureInfo.InvariantCulture)])],
            DateTimeOffset.UtcNow
        );
        return XmlAsync(
            context,
            new XElement("CompleteMultipartUploadResult", new XElement("Key", key), new XElement("ETag", "\"parts\""))
        );
    }

    private Task DeleteAsync(HttpContext context, string key, string upload)
    {
        _ = upload.Length > 0 ? uploads.TryRemove(upload, out _) : objects.TryRemove(key, out _);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static Task FailAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        return XmlAsync(context, new XElement("Error", new XElement("Code", code), new XElement("Message", code)));
    }

    private static Task XmlAsync(HttpContext context, XElement content)
    {
        context.Response.ContentType = "application/xml";
        return context.Response.WriteAsync(content.ToString());
    }

    private Task ListUploadsAsync(HttpContext context, string prefix) =>
        XmlAsync(
            context,
            new XElement(
                "ListMultipartUploadsResult",
                new XElement("IsTruncated", false),
                uploads
                    .Where(upload => upload.Value.Key.StartsWith(prefix, StringComparison.Ordinal))
                    .Select(upload => new XElement(
                        "Upload",
                        new XElement("Key", upload.Value.Key),
                        new XElement("UploadId", upload.Key),
                        new XElement("Initiated", Moment(upload.Value.BegunAt))
                    ))
            )
        );

    private static string Moment(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private sealed record Upload(string Key, DateTimeOffset BegunAt, SortedDictionary<int, byte[]> Parts);

    private sealed record StoredObject(byte[] Bytes, DateTimeOffset ChangedAt);
}
