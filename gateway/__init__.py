"""The gateway: takes an idea, runs the plan over the phase servers, keeps every result, answers gRPC and REST."""
