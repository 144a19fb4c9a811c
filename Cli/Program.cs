using ElectraPipeline.Cli;

return await ElectraCommandLine.RunAsync(args);
