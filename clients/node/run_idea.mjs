// Starts a run and prints its events as they come. Needs the protos and nothing else of the project:
//   npm ci && node run_idea.mjs 127.0.0.1:50051 "A mobile app that helps households waste less food"
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [target = "127.0.0.1:50051", text = ""] = process.argv.slice(2);
const protos = process.env.PROTOS ?? fileURLToPath(new URL("../../protos", import.meta.url));
const definition = loader.loadSync("pipeline/v1/pipeline.proto", {
  includeDirs: [protos], keepCase: true, longs: String, enums: String, oneofs: true,
});
const { PipelineService } = grpc.loadPackageDefinition(definition).pipeline.v1;
const client = new PipelineService(target, grpc.credentials.createInsecure());

const call = client.RunPipeline({ spec: { idea: { text } } }, { deadline: Date.now() + 120_000 });
call.on("data", ({ event }) => {
  const detail = event.evidence_found?.title ?? event.phase_finished?.status.phase ?? event.run_finished?.state ?? "";
  console.log(`${event.sequence} ${event.payload} ${detail}`.trim());
});
call.on("error", (error) => {
  console.error(`${grpc.status[error.code]}: ${error.details}`);
  process.exitCode = 1;
});
call.on("end", () => client.close());
