package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// WaterfallStep is one step of a cluster's creation, in seconds from its beginning. The API has whole seconds.
type WaterfallStep struct {
	Name    string  `json:"name"`
	Start   float64 `json:"start"`
	Seconds float64 `json:"seconds"`
}

// waterfallOf is what the status of a WorkloadCluster tells of its creation.
func waterfallOf(cluster *fleetwrightv1.WorkloadCluster) []WaterfallStep {
	var out []WaterfallStep
	for _, step := range cluster.Status.Steps {
		if step.StartedTime.IsZero() || step.FinishedTime.IsZero() {
			continue
		}
		out = append(out, WaterfallStep{
			Name: string(step.Name), Start: step.StartedTime.Sub(cluster.CreationTimestamp.Time).Seconds(),
			Seconds: step.FinishedTime.Sub(step.StartedTime.Time).Seconds(),
		})
	}
	return out
}

// bars draws the steps below each other, each where it was in time.
func bars(steps []WaterfallStep, width int) []string {
	end := 1.0
	for _, step := range steps {
		end = max(end, step.Start+step.Seconds)
	}
	column := func(at float64) int { return int(at/end*float64(width) + 0.5) }
	var out []string
	for _, step := range steps {
		from, to := min(max(column(step.Start), 0), width-1), column(step.Start+step.Seconds)
		bar := strings.Repeat(" ", from) + strings.Repeat("█", max(to-from, 1))
		out = append(out, fmt.Sprintf("%-16s%-*s %4s", step.Name, width, bar, (time.Duration(step.Seconds)*time.Second).String()))
	}
	return out
}

// proveAddon fails unless the add-on runs on every node: the cluster has said that it is ready.
func (s *story) proveAddon(ctx context.Context) error {
	agent, err := s.workload.AppsV1().DaemonSets("monitoring").Get(ctx, "agent", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("the WorkloadCluster is Ready, and its add-on is not there: %w", err)
	}
	nodes, err := s.workload.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("count the nodes: %w", err)
	}
	if n := int(agent.Status.NumberAvailable); n != len(nodes.Items) || n == 0 {
		return fmt.Errorf("the WorkloadCluster is Ready, and its add-on runs on %d of %s", n, count(len(nodes.Items), "node"))
	}
	s.teller.tell(Progress{At: time.Now(), About: "Add-on agent", Text: fmt.Sprintf("runs on all %s of the cluster", count(len(nodes.Items), "node"))})
	return nil
}
