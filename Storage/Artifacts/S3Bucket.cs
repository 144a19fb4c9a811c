using System.Net;
using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ElectraPipeline.Storage.Artifacts;

/// <summary>An object in a bucket.</summary>
internal readonly record struct BucketObject(string Key, long Length, DateTimeOffset ChangedAt);

/// <summary>An upload in parts that is not finished.</summary>
internal readonly record struct BucketUpload(string Key, string Id, DateTimeOffset BegunAt);

/// <summary>
/// The few requests that artifacts need of an S3-compatible server. Each is repeated by the client while the server is away for seconds.
/// Blocks: sealing and reading are steps of stages, which have threads of their own.
/// </summary>
internal sealed class S3Bucket : IDisposable
{
    /// <summary>Files above this go up in parts.</summary>
    public const long PartBytes = 64L << 20;

    /// <summary>How often a request is made again that failed before it was answered, or whose answer broke off.</summary>
    private const int Repetitions = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    private readonly ArtifactLocation location;
    private readonly Lazy<AmazonS3Client> connected;
    private readonly long partBytes;

    /// <summary>
    /// Names a bucket; the credentials of the environment are read when it is used first, so that who only looks needs none.
    /// </summary>
    public S3Bucket(ArtifactLocation location, long partBytes = PartBytes)
    {
        this.location = location;
        this.partBytes = partBytes;
        connected = new Lazy<AmazonS3Client>(Connect);
    }

    private AmazonS3Client Client => connected.Value;

    public void Dispose()
    {
        if (connected.IsValueCreated)
        {
            Client.Dispose();
        }
    }

    /// <summary>
    /// Stores a file. The server, if it knows SHA-256, refuses what arrived as other bytes and says what it stored; if it does not, the
    /// object is read back and compared.
    /// </summary>
    /// <exception cref="StorageException">The server cannot be reached, refuses, or holds other bytes than were sent.</exception>
    public void Put(string key, string file, string sha256)
    {
        long length = new FileInfo(file).Length;
        string? stored = length > partBytes ? PutParts(key, file, length) : PutWhole(key, () => File.OpenRead(file), sha256);
        Confirm(key, stored, sha256);
    }

    /// <summary>Stores bytes, like <see cref="Put(string, string, string)"/>.</summary>
    public void Put(string key, byte[] bytes)
    {
        string sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        Confirm(key, PutWhole(key, () => new MemoryStream(bytes, writable: false), sha256), sha256);
    }

    /// <summary>
    /// Hands an object's bytes to <paramref name="read"/>, again from the first where the connection breaks in the middle; false: there is
    /// none.
    /// </summary>
    public bool TryRead(string key, Action<Stream> read) =>
        Ask(
            key,
            async () =>
            {
                for (int broken = 0; ; broken++)
                {
                    try
                    {
                        using GetObjectResponse response = await Client.GetObjectAsync(location.Bucket, key);
                        read(response.ResponseStream);
                        return true;
                    }
                    catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket")
                    {
                        return false;
                    }
                    catch (IOException e) when (IsBrokenConnection(e) && broken < Repetitions)
                    {
                        await Task.Delay(FirstPause * (1 << broken));
                    }
                }
            }
        );

    /// <summary>All objects whose keys begin with <paramref name="prefix"/>.</summary>
    public IReadOnlyList<BucketObject> List(string prefix) =>
        Ask<IReadOnlyList<BucketObject>>(
            prefix,
            async () =>
            {
                var found = new List<BucketObject>();
                var request = new ListObjectsV2Request { BucketName = location.Bucket, Prefix = prefix };
                ListObjectsV2Response page;
                do
                {
                    page = await Client.ListObjectsV2Async(request);
                    found.AddRange(
                        (page.S3Objects ?? []).Select(item => new BucketObject(
                            item.Key,
                            item.Size ?? 0,
                            item.LastModified ?? DateTime.UnixEpoch
                        ))
                    );
                    request.ContinuationToken = page.NextContinuationToken;
                } while (page.IsTruncated == true);
                return found;
            }
        );

    /// <summary>Removes an object, if it is there.</summary>
    public void Delete(string key) => Ask(key, async () => await Client.DeleteObjectAsync(location.Bucket, key));

    /// <summary>Uploads in parts that are not finished, of keys that begin with <paramref name="prefix"/>.</summary>
    public IReadOnlyList<BucketUpload> Uploads(string prefix) =>
        Ask<IReadOnlyList<BucketUpload>>(
            prefix,
            async () =>
            {
                var found = new List<BucketUpload>();
                var request = new ListMultipartUploadsRequest { BucketName = location.Bucket, Prefix = prefix };
                ListMultipartUploadsResponse page;
                do
                {
                    page = await Client.ListMultipartUploadsAsync(request);
                    found.AddRange(
                        (page.MultipartUploads ?? []).Select(upload => new BucketUpload(
                            upload.Key,
                            upload.UploadId,
                            upload.Initiated ?? DateTime.UnixEpoch
                        ))
                    );
                    (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
                } while (page.IsTruncated == true);
                return found;
            }
        );

    /// <summary>Ends an unfinished upload and frees its parts.</summary>
    public void Abort(string key, string upload) =>
        Ask(key, async () => await Client.AbortMultipartUploadAsync(location.Bucket, key, upload));

    private AmazonS3Client Connect()
    {
        var config = new AmazonS3Config
        {
            AuthenticationRegion = location.Region,
            ForcePathStyle = location.Endpoint is not null,
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = Repetitions,
            Timeout = TimeSpan.FromMinutes(10),

            // We send and compare SHA-256 ourselves; other checksums are more than some servers know.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (location.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.AbsoluteUri;
        }
        else
        {
            config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(location.Region);
        }

        return new AmazonS3Client(CredentialsOfEnvironment(), config);
    }

    private static AWSCredentials CredentialsOfEnvironment()
    {
        string? id = Environment.GetEnvironmentVariable("AWS_ACCESS_KEY_ID");
        string? secret = Environment.GetEnvironmentVariable("AWS_SECRET_ACCESS_KEY");
        if (string.IsNullOrEmpty(id) || string.IsNullOrEmpty(secret))
        {
            throw new StorageException(
                "the artifacts are in a bucket, but the environment has no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; set both"
            );
        }

        return Environment.GetEnvironmentVariable("AWS_SESSION_TOKEN") is { Length: > 0 } token
            ? new SessionAWSCredentials(id, secret, token)
            : new BasicAWSCredentials(id, secret);
    }

    private static string Base64(string hex) => Convert.ToBase64String(Convert.FromHexString(hex));

    /// <summary>Returns the SHA-256 that the server says it stored, base64; null: it does not say.</summary>
    private string? PutWhole(string key, Func<Stream> open, string sha256) =>
        Ask(
            key,
            async () =>
            {
                await using Stream stream = open();
                PutObjectResponse response = await Client.PutObjectAsync(
                    new PutObjectRequest
                    {
                        BucketName = location.Bucket,
                        Key = key,
                        InputStream = stream,
                        AutoCloseStream = false,
                        UseChunkEncoding = false,
                        ChecksumSHA256 = Base64(sha256),
                    }
                );
                return response.ChecksumSHA256;
            }
        );

    /// <summary>Null where the server confirmed less than every part; the object is then read back.</summary>
    private string? PutParts(string key, string file, long length) =>
        Ask(
            key,
            async () =>
            {
                var upload = await Client.InitiateMultipartUploadAsync(
                    new InitiateMultipartUploadRequest
                    {
                        BucketName = location.Bucket,
                        Key = key,
                        ChecksumAlgorithm = ChecksumAlgorithm.SHA256,
                    }
                );
                try
                {
                    var parts = new List<PartETag>();
                    for (long start = 0; start < length; start += partBytes)
                    {
                        parts.Add(await PutPartAsync(upload, file, start, Math.Min(partBytes, length - start), parts.Count + 1));
                    }

                    await Client.CompleteMultipartUploadAsync(
                        new CompleteMultipartUploadRequest
                        {
                            BucketName = location.Bucket,
                            Key = key,
                            UploadId = upload.UploadId,
                            PartETags = parts,
                        }
                    );
                    return (string?)null;
                }
                catch
                {
                    await TryAbortAsync(key, upload.UploadId);
                    throw;
                }
            }
        );

    // Parts of an upload without an end cost money and are in no listing. What ended the upload may end this too, and is what matters.
    private async Task TryAbortAsync(string key, string upload)
    {
        try
        {
            await Client.AbortMultipartUploadAsync(location.Bucket, key, upload);
        }
        catch (Exception e) when (e is AmazonClientException or AmazonServiceException or HttpRequestException or TaskCanceledException)
        {
            // The collection of garbage aborts what is abandoned.
        }
    }

    private async Task<PartETag> PutPartAsync(InitiateMultipartUploadResponse upload, string file, long start, long length, int number)
    {
        byte[] bytes = new byte[length];
        using (var handle = File.OpenHandle(file))
        {
            for (int filled = 0, read; filled < length; filled += read)
            {
                read = await RandomAccess.ReadAsync(handle, bytes.AsMemory(filled), start + filled);
                if (read == 0)
                {
                    throw new EndOfStreamException($"{file} became shorter while it was uploaded");
                }
            }
        }

        using var stream = new MemoryStream(bytes, writable: false);
        UploadPartResponse response = await Client.UploadPartAsync(
            new UploadPartRequest
            {
                BucketName = upload.BucketName,
                Key = upload.Key,
                UploadId = upload.UploadId,
                PartNumber = number,
                PartSize = length,
                InputStream = stream,
                UseChunkEncoding = false,
                ChecksumSHA256 = Convert.ToBase64String(SHA256.HashData(bytes)),
            }
        );
        return new PartETag(response);
    }

    private void Confirm(string key, string? stored, string sha256)
    {
        if (stored is null)
        {
            string found = "nothing";
            TryRead(key, stream => found = Convert.ToHexStringLower(SHA256.HashData(stream)));
            stored = found == sha256 ? Base64(found) : found;
        }

        if (stored != Base64(sha256))
        {
            throw new StorageException(
                $"{location.DisplayName}: {key} holds other bytes than were sent ({stored}); the stage is tried again"
            );
        }
    }

    private T Ask<T>(string key, Func<Task<T>> request)
    {
        try
        {
            return request().GetAwaiter().GetResult();
        }
        catch (AmazonS3Exception e)
        {
            throw new StorageException(
                $"the bucket {location.DisplayName} refuses '{key}': {e.ErrorCode ?? "no code"}, HTTP {(int)e.StatusCode}. {RemedyFor(e)}",
                e
            );
        }
        catch (Exception e)
            when (e is AmazonClientException or HttpRequestException or TaskCanceledException
                || (e is IOException broken && IsBrokenConnection(broken))
            )
        {
            throw new StorageException($"the bucket {location.DisplayName} cannot be reached at {Server}: {e.Message}", e);
        }
    }

    private string RemedyFor(AmazonS3Exception refusal) =>
        refusal.ErrorCode switch
        {
            "NoSuchBucket" => $"There is no bucket '{location.Bucket}' at {Server}: make it, or mend the name",
            "InvalidAccessKeyId" => "The server does not know the key in AWS_ACCESS_KEY_ID: set the one of this server's account",
            "SignatureDoesNotMatch" => "AWS_SECRET_ACCESS_KEY is not the secret of the key in AWS_ACCESS_KEY_ID, or the region is another "
                + $"than '{location.Region}' (?region=)",
            "ExpiredToken" or "InvalidToken" => "The session in AWS_SESSION_TOKEN is over: set new credentials",
            "RequestTimeTooSkewed" => "This host's clock is wrong: set it",
            "AccessDenied" => $"Let these credentials list '{location.Bucket}', and get, put and delete objects in it",
            "PermanentRedirect" or "AuthorizationHeaderMalformed" =>
                $"The bucket is in another region than '{location.Region}': name it with ?region=",
            _ => "Check the bucket's name, region and policy, and the credentials in the environment",
        };

    private string Server => location.Endpoint?.GetLeftPart(UriPartial.Authority) ?? location.Region;

    // The reader's own disk fails with other exceptions.
    private static bool IsBrokenConnection(IOException e) => e is HttpIOException || e.InnerException is System.Net.Sockets.SocketException;
}
