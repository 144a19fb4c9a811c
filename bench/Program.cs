using System.CommandLine;
using ElectraPipeline.Bench;
using ElectraPipeline.Bench.TrainingSteps;

var root = new RootCommand("Benchmarks and generators of ElectraPipeline")
{
    AgreementCommand.Create(),
    CharacterClassesCommand.Create(),
    FuzzCommand.Create(),
    IngestCommand.Create(),
    JobsCommand.Create(),
    OverheadCommand.Create(),
    OverheadCommand.CreateChild(),
    ShardsCommand.Create(),
    StudyCommand.Create(),
    TokenizerCommand.Create(),
    TrainingStepCommand.Create(),
    VocabularyCommand.Create(),
};
return root.Parse(args).Invoke();
