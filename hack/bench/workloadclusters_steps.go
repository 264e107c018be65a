package main

import (
	"context"
	"fmt"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// stepSeen is one step of all clusters' waterfalls, in seconds from the creation of their WorkloadClusters on, which are whole seconds.
type stepSeen struct {
	Name     string  `json:"name"`
	Clusters int     `json:"clusters"`
	Begins   float64 `json:"begins"`
	Ends     float64 `json:"ends"`
	Takes    float64 `json:"takes"`
	Longest  float64 `json:"longest"`
}

func (s *stage) steps(ctx context.Context) ([]stepSeen, error) {
	var list fleetwrightv1.WorkloadClusterList
	if err := s.client.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("read the waterfalls: %w", err)
	}
	return meanSteps(list.Items), nil
}

// meanSteps are the means over all clusters that have the step, in the order in which the steps are told.
func meanSteps(clusters []fleetwrightv1.WorkloadCluster) []stepSeen {
	var out []stepSeen
	at := map[fleetwrightv1.WorkloadClusterStepName]int{}
	for i := range clusters {
		from := clusters[i].CreationTimestamp.Time
		for _, step := range clusters[i].Status.Steps {
			if step.StartedTime.IsZero() || step.FinishedTime.IsZero() {
				continue
			}
			n, known := at[step.Name]
			if !known {
				n, at[step.Name] = len(out), len(out)
				out = append(out, stepSeen{Name: string(step.Name)})
			}
			out[n].add(step.StartedTime.Sub(from), step.FinishedTime.Sub(from))
		}
	}
	for i := range out {
		n := float64(out[i].Clusters)
		out[i].Begins, out[i].Ends, out[i].Takes = out[i].Begins/n, out[i].Ends/n, out[i].Takes/n
	}
	return out
}

// add adds one cluster's times to the sums.
func (s *stepSeen) add(begins, ends time.Duration) {
	takes := (ends - begins).Seconds()
	s.Clusters++
	s.Begins, s.Ends, s.Takes, s.Longest = s.Begins+begins.Seconds(), s.Ends+ends.Seconds(), s.Takes+takes, max(s.Longest, takes)
}
