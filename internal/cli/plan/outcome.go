package plan

import (
	"fmt"
	"slices"

	"k8s.io/client-go/util/exec"

	"github.com/fleetwright/fleetwright/internal/nodepool"
)

// outcomeError sorts a Nodepool that could not be planned at all.
const outcomeError nodepool.Outcome = "Error"

// outcomes are all there are, the best first, with the exit code of each. A cluster that could not be read is an error:
// whoever asks in a pipeline must not take it for an answer.
var outcomes = []struct {
	outcome nodepool.Outcome
	code    int
}{
	{nodepool.OutcomeNothing, 0},
	{nodepool.OutcomeChanges, 2},
	{nodepool.OutcomeBlocked, 3},
	{nodepool.OutcomeUnknown, 1},
	{outcomeError, 1},
}

func rank(o nodepool.Outcome) int {
	for i := range outcomes {
		if outcomes[i].outcome == o {
			return i
		}
	}
	return len(outcomes) - 1
}

func worst(items []NodepoolPlan) nodepool.Outcome {
	most := slices.MaxFunc(items, func(a, b NodepoolPlan) int { return rank(a.Outcome) - rank(b.Outcome) })
	return most.Outcome
}

// exit ends the command with the outcome's code. What there is to say was said.
func exit(o nodepool.Outcome) error {
	code := outcomes[rank(o)].code
	if code == 0 {
		return nil
	}
	return exec.CodeExitError{Err: fmt.Errorf("the plan's outcome is %s", o), Code: code}
}
