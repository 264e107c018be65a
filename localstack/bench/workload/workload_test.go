package workload

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestChain(t *testing.T) {
	const tau, g = 40 * time.Second, 10 * time.Second
	for name, tc := range map[string]struct {
		service Service
		want    time.Duration
	}{
		"one at a time":                {Service{Kind: Deployment, Replicas: 12, Budget: BudgetOne}, 11*tau + g},
		"a single pod":                 {Service{Kind: Deployment, Replicas: 1, Budget: BudgetOne}, g},
		"a quarter of 12 is 3":         {Service{Kind: Deployment, Replicas: 12, Budget: BudgetQuarter}, 3*tau + g},
		"a quarter of 13 is 4":         {Service{Kind: Deployment, Replicas: 13, Budget: BudgetQuarter}, 3*tau + g},
		"a quarter of 2 is 1":          {Service{Kind: Deployment, Replicas: 2, Budget: BudgetQuarter}, tau + g},
		"no budget":                    {Service{Kind: Deployment, Replicas: 12, Budget: BudgetNone}, g},
		"a budget that allows all":     {Service{Kind: Bare, Replicas: 1000, Budget: BudgetAll}, g},
		"a name must be free first":    {Service{Kind: StatefulSet, Replicas: 3, Budget: BudgetOne}, 2*(g+tau) + g},
		"all of a StatefulSet at once": {Service{Kind: StatefulSet, Replicas: 3, Budget: BudgetNone}, g},
	} {
		t.Run(name, func(t *testing.T) {
			tc.service.Start, tc.service.Termination = tau, g
			if got := tc.service.Chain(); got != tc.want {
				t.Errorf("Chain() = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestDraw(t *testing.T) {
	shape := Shape{Pods: 3000, Services: 290, MaxReplicas: 12, Namespaces: 8, Seed: 1, Scale: 1}
	services, err := Draw(shape)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Draw(shape)
	if diff := cmp.Diff(services, again); diff != "" {
		t.Errorf("the same shape draws others (-first +second)\n%s", diff)
	}
	pods, budgets, kinds, namespaces := 0, map[Budget]int{}, map[Kind]int{}, map[string]bool{}
	for _, s := range services {
		pods += s.Replicas
		budgets[s.Budget]++
		kinds[s.Kind]++
		namespaces[s.Namespace] = true
		if s.Replicas < 2 || s.Replicas > 12 || s.Kind == StatefulSet && s.Replicas > 5 || s.Start < 8*time.Second || s.Start > 45*time.Second ||
			s.Termination < time.Second || s.Termination > 30*time.Second || s.Kind == StatefulSet && s.Termination < 2*time.Second {
			t.Errorf("%s is out of bounds", s)
		}
	}
	if pods != 3000 || len(namespaces) != 8 {
		t.Errorf("%d pods in %d namespaces, want 3000 in 8", pods, len(namespaces))
	}
	if diff := cmp.Diff(map[Budget]int{BudgetOne: 174, BudgetQuarter: 87, BudgetNone: 29}, budgets); diff != "" {
		t.Errorf("budgets (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[Kind]int{Deployment: 261, StatefulSet: 29}, kinds); diff != "" {
		t.Errorf("kinds (-want +got)\n%s", diff)
	}
	if bound, whose := Bound(services); bound != whose.Chain() || bound < 400*time.Second {
		t.Errorf("Bound() = %s of %s", bound, whose)
	}
	shape.Pods = 4000
	if _, err := Draw(shape); err == nil {
		t.Error("4,000 pods were drawn for services that have room for fewer")
	}
}
