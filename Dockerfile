# One image for the dashboard and the workers. TORCH_DEVICE=cuda brings LibTorch for NVIDIA GPUs (the driver comes from the host).
# The tags say Ubuntu 24.04, which the bare ones of .NET 10 mean too: it runs the same packages, and Debian is not among them.
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
ARG TORCH_DEVICE=cpu
WORKDIR /source
COPY . .
RUN dotnet publish Cli/Cli.csproj -c Release -o /app -p:TorchDevice=$TORCH_DEVICE --nologo -v q

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble
# LibTorch is linked against GCC's OpenMP runtime.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY --from=build /app /app
# The corpus of configs/demo.json: the SDK's documentation, which the runtime image lacks.
COPY --from=build /usr/share/dotnet/packs /usr/share/dotnet/packs
# Owned by the image's unprivileged user, so that a new volume is too.
RUN mkdir /data && chown "$APP_UID" /data
USER $APP_UID
ENV ELECTRA_DATA=/data
VOLUME /data
ENTRYPOINT ["/app/electra"]
CMD ["--help"]
