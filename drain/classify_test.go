package drain

import (
	"cmp"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// The cases of Cluster API's filters (core/reconcilers/machine/drain) are among these, with its answers, except where
// the name says otherwise.
func TestClassify(t *testing.T) {
	tests := map[string]struct {
		pod    Pod
		policy Policy
		want   Verdict
	}{
		"pod of a ReplicaSet":                     {pod: pod("a", "cart"), want: Verdict{Behavior: "Evict"}},
		"pod of a StatefulSet":                    {pod: pod("a", "db", kind("apps", "StatefulSet")), want: Verdict{Behavior: "Evict"}},
		"pod of a Job":                            {pod: pod("a", "batch", kind("batch", "Job")), want: Verdict{Behavior: "Evict"}},
		"pod of a ReplicaSet that is not ready":   {pod: pod("a", "cart", notReady(0)), want: Verdict{Behavior: "Evict"}},
		"pending":                                 {pod: pod("a", "cart", phase(corev1.PodPending)), want: Verdict{Behavior: "Evict"}},
		"daemon pod":                              {pod: pod("a", "log", kind("apps", "DaemonSet")), want: Verdict{Behavior: "Skip", Skip: "DaemonSet"}},
		"daemon pod that terminates":              {pod: pod("a", "log", kind("apps", "DaemonSet"), deadline(noon)), want: Verdict{Behavior: "Skip", Skip: "DaemonSet"}},
		"daemon pod of another API group":         {pod: pod("a", "log", kind("apps.kruise.io", "DaemonSet")), want: Verdict{Behavior: "Skip", Skip: "DaemonSet"}},
		"daemon pod with label wait-completed":    {pod: pod("a", "log", kind("apps", "DaemonSet"), label(LabelDrain, "wait-completed")), want: Verdict{Behavior: "Skip", Skip: "DaemonSet"}},
		"orphaned daemon pod waits, unlike CAPI":  {pod: pod("a", "log", kind("apps", "DaemonSet"), missingController), want: Verdict{Behavior: "Unmanaged"}},
		"orphaned daemon pod, policy Evict":       {pod: pod("a", "log", kind("apps", "DaemonSet"), missingController), policy: Policy{Unmanaged: "Evict"}, want: Verdict{Behavior: "Evict"}},
		"mirror":                                  {pod: pod("a", "proxy", bare, static), want: Verdict{Behavior: "Skip", Skip: "Mirror"}},
		"mirror that terminates":                  {pod: pod("a", "proxy", bare, static, deadline(noon)), want: Verdict{Behavior: "Skip", Skip: "Mirror"}},
		"succeeded stays, unlike CAPI":            {pod: pod("a", "batch", phase(corev1.PodSucceeded)), want: Verdict{Behavior: "Skip", Skip: "Finished"}},
		"failed stays, unlike CAPI":               {pod: pod("a", "batch", phase(corev1.PodFailed)), want: Verdict{Behavior: "Skip", Skip: "Finished"}},
		"succeeded without controller":            {pod: pod("a", "batch", bare, phase(corev1.PodSucceeded)), want: Verdict{Behavior: "Skip", Skip: "Finished"}},
		"succeeded, held by a finalizer":          {pod: pod("a", "batch", phase(corev1.PodSucceeded), deadline(ago(time.Hour)), finalizer("x/y")), want: Verdict{Behavior: "Skip", Skip: "Finished"}},
		"unknown phase is not finished":           {pod: pod("a", "cart", phase(corev1.PodUnknown)), want: Verdict{Behavior: "Evict"}},
		"terminating":                             {pod: pod("a", "cart", deadline(noon.Add(time.Second))), want: Verdict{Behavior: "Leaving"}},
		"terminating long ago still counts":       {pod: pod("a", "cart", deadline(ago(100*time.Second))), want: Verdict{Behavior: "Leaving"}},
		"terminating without controller":          {pod: pod("a", "cart", bare, deadline(noon)), want: Verdict{Behavior: "Leaving"}},
		"no controller waits, unlike CAPI":        {pod: pod("a", "tool", bare), want: Verdict{Behavior: "Unmanaged"}},
		"no controller, policy Evict":             {pod: pod("a", "tool", bare), policy: Policy{Unmanaged: "Evict"}, want: Verdict{Behavior: "Evict"}},
		"label skip":                              {pod: pod("a", "cart", label("cluster.x-k8s.io/drain", "skip")), want: Verdict{Behavior: "Skip", Skip: "Label"}},
		"label Skip":                              {pod: pod("a", "cart", label("cluster.x-k8s.io/drain", "Skip")), want: Verdict{Behavior: "Skip", Skip: "Label"}},
		"label skip without controller":           {pod: pod("a", "cart", bare, label("cluster.x-k8s.io/drain", "skip")), want: Verdict{Behavior: "Skip", Skip: "Label"}},
		"label skip, terminating":                 {pod: pod("a", "cart", label("cluster.x-k8s.io/drain", "skip"), deadline(noon)), want: Verdict{Behavior: "Skip", Skip: "Label"}},
		"label wait-completed":                    {pod: pod("a", "cart", label("cluster.x-k8s.io/drain", "wait-completed")), want: Verdict{Behavior: "WaitCompleted"}},
		"label WaitCompleted":                     {pod: pod("a", "cart", label("cluster.x-k8s.io/drain", "WaitCompleted")), want: Verdict{Behavior: "WaitCompleted"}},
		"label Wait-Completed":                    {pod: pod("a", "cart", label("cluster.x-k8s.io/drain", "Wait-Completed")), want: Verdict{Behavior: "WaitCompleted"}},
		"label wait-completed without controller": {pod: pod("a", "cart", bare, label("cluster.x-k8s.io/drain", "wait-completed")), want: Verdict{Behavior: "WaitCompleted"}},
		"label wait-completed and succeeded":      {pod: pod("a", "cart", label("cluster.x-k8s.io/drain", "wait-completed"), phase(corev1.PodSucceeded)), want: Verdict{Behavior: "Skip", Skip: "Finished"}},
		"label with two dashes means nothing":     {pod: pod("a", "cart", label("cluster.x-k8s.io/drain", "wait--completed")), want: Verdict{Behavior: "Evict"}},
		"label drain means nothing":               {pod: pod("a", "cart", label("cluster.x-k8s.io/drain", "drain")), want: Verdict{Behavior: "Evict"}},
		"label with an unknown value":             {pod: pod("a", "cart", label("cluster.x-k8s.io/drain", "never")), want: Verdict{Behavior: "Evict"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.want.Behavior != BehaviorSkip {
				tc.want.Deadline.Action = cmp.Or(tc.want.Deadline.Action, "Wait")
			}
			if got := Classify(tc.pod, tc.policy, noon); got != tc.want {
				t.Errorf("Classify() = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestClassifyByRules(t *testing.T) {
	force := &Deadline{Action: "Force", After: time.Hour}
	byName := func(name string) []Rule { return []Rule{{Name: name, Pods: app("cart"), Behavior: "Skip"}} }
	shop, team := labels.SelectorFromSet(labels.Set{"app": "cart"}), labels.SelectorFromSet(labels.Set{"team": "shop"})
	tests := map[string]struct {
		pod    Pod
		policy Policy
		want   Verdict
	}{
		"Drain": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Behavior: "Drain", Order: 3}}},
			want: Verdict{Behavior: "Evict", Rule: "r", Order: 3},
		},
		"no word is Drain": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Order: -3}}}, want: Verdict{Behavior: "Evict", Rule: "r", Order: -3},
		},
		"Skip": {pod: pod("a", "cart"), policy: Policy{Rules: byName("r")}, want: Verdict{Behavior: "Skip", Skip: "Rule", Rule: "r"}},
		"Skip has no order": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Behavior: "Skip", Order: 3}}},
			want: Verdict{Behavior: "Skip", Skip: "Rule", Rule: "r"},
		},
		"Skip of a terminating pod, as CAPI": {
			pod: pod("a", "cart", deadline(noon)), policy: Policy{Rules: byName("r")}, want: Verdict{Behavior: "Skip", Skip: "Rule", Rule: "r"},
		},
		"WaitCompleted": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Behavior: "WaitCompleted", Order: 3}}},
			want: Verdict{Behavior: "WaitCompleted", Rule: "r"},
		},
		"WaitCompleted of a terminating pod": {
			pod: pod("a", "cart", deadline(noon)), policy: Policy{Rules: []Rule{{Name: "r", Behavior: "WaitCompleted"}}},
			want: Verdict{Behavior: "Leaving", Rule: "r"},
		},
		"a word that does not exist evicts nothing": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Behavior: "Evict"}}}, want: Verdict{Behavior: "WaitCompleted", Rule: "r"},
		},
		"order of a terminating pod": {
			pod: pod("a", "cart", deadline(noon)), policy: Policy{Rules: []Rule{{Name: "r", Order: 3}}},
			want: Verdict{Behavior: "Leaving", Rule: "r", Order: 3},
		},
		"a rule of Drain brings nobody back": {
			pod: pod("a", "tool", bare), policy: Policy{Rules: []Rule{{Name: "r", Order: 3}}}, want: Verdict{Behavior: "Unmanaged", Rule: "r", Order: 3},
		},
		"the first that selects": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "x", Pods: app("db"), Behavior: "Skip"}, {Name: "r", Pods: app("cart"), Order: 1}, {Name: "y"}}},
			want: Verdict{Behavior: "Evict", Rule: "r", Order: 1},
		},
		"none selects": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "x", Pods: app("db"), Behavior: "Skip"}}}, want: Verdict{Behavior: "Evict"},
		},
		"no selector is every pod": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Pods: []PodSelector{}, Behavior: "Skip"}}},
			want: Verdict{Behavior: "Skip", Skip: "Rule", Rule: "r"},
		},
		"an empty selector is every pod, too": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Pods: []PodSelector{{}}, Behavior: "Skip"}}},
			want: Verdict{Behavior: "Skip", Skip: "Rule", Rule: "r"},
		},
		"any of the selectors": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Pods: append(app("db"), app("cart")...), Order: 1}}},
			want: Verdict{Behavior: "Evict", Rule: "r", Order: 1},
		},
		"both parts of a selector": {
			pod: pod("a", "cart", namespaceLabels(labels.Set{"team": "shop"})), policy: Policy{Rules: []Rule{{Name: "r", Pods: []PodSelector{{Pod: shop, Namespace: team}}, Order: 1}}},
			want: Verdict{Behavior: "Evict", Rule: "r", Order: 1},
		},
		"not the namespace": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Pods: []PodSelector{{Pod: shop, Namespace: team}}, Order: 1}}},
			want: Verdict{Behavior: "Evict"},
		},
		"not the pod": {
			pod: pod("a", "db", namespaceLabels(labels.Set{"team": "shop"})), policy: Policy{Rules: []Rule{{Name: "r", Pods: []PodSelector{{Pod: shop, Namespace: team}}, Order: 1}}},
			want: Verdict{Behavior: "Evict"},
		},
		"a rule without name": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "x", Pods: app("db")}, {Order: 1}}}, want: Verdict{Behavior: "Evict", Rule: "#2", Order: 1},
		},
		"a daemon pod before rules": {
			pod: pod("a", "log", kind("apps", "DaemonSet")), policy: Policy{Rules: []Rule{{Name: "r", Behavior: "WaitCompleted"}}},
			want: Verdict{Behavior: "Skip", Skip: "DaemonSet"},
		},
		"a mirror pod before rules": {
			pod: pod("a", "proxy", bare, static), policy: Policy{Rules: []Rule{{Name: "r"}}}, want: Verdict{Behavior: "Skip", Skip: "Mirror"},
		},
		"a finished pod before rules": {
			pod: pod("a", "batch", phase(corev1.PodFailed)), policy: Policy{Rules: []Rule{{Name: "r"}}}, want: Verdict{Behavior: "Skip", Skip: "Finished"},
		},
		"the label before rules": {
			pod: pod("a", "cart", label(LabelDrain, "wait-completed")), policy: Policy{Rules: byName("r")}, want: Verdict{Behavior: "WaitCompleted"},
		},
		"the annotation before rules": {
			pod: pod("a", "cart", calm("true")), policy: Policy{Rules: byName("r")}, want: Verdict{Behavior: "DoNotDisrupt"},
		},
		"rules once the annotation is over": {
			pod: pod("a", "cart", calm("1h"), started(2*time.Hour)), policy: Policy{Rules: []Rule{{Name: "r", Order: 1}}},
			want: Verdict{Behavior: "Evict", Rule: "r", Order: 1, Until: ago(time.Hour)},
		},
		"the policy's deadline": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r"}}, Deadline: *force},
			want: Verdict{Behavior: "Evict", Rule: "r", Deadline: *force},
		},
		"the rule's deadline": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Deadline: &Deadline{}}}, Deadline: *force},
			want: Verdict{Behavior: "Evict", Rule: "r", Deadline: Deadline{Action: "Wait"}},
		},
		"the policy's deadline does not reach a rule of WaitCompleted": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Behavior: "WaitCompleted"}}, Deadline: *force},
			want: Verdict{Behavior: "WaitCompleted", Rule: "r", Deadline: Deadline{Action: "Wait"}},
		},
		"the deadline of a rule of WaitCompleted": {
			pod: pod("a", "cart"), policy: Policy{Rules: []Rule{{Name: "r", Behavior: "WaitCompleted", Deadline: force}}},
			want: Verdict{Behavior: "WaitCompleted", Rule: "r", Deadline: *force},
		},
		"no deadline reaches the label": {
			pod: pod("a", "cart", label(LabelDrain, "wait-completed")), policy: Policy{Rules: []Rule{{Name: "r", Deadline: force}}, Deadline: *force},
			want: Verdict{Behavior: "WaitCompleted", Deadline: Deadline{Action: "Wait"}},
		},
		"no deadline reaches the annotation": {
			pod: pod("a", "cart", calm("true")), policy: Policy{Rules: []Rule{{Name: "r", Deadline: force}}, Deadline: *force},
			want: Verdict{Behavior: "DoNotDisrupt", Deadline: Deadline{Action: "Wait"}},
		},
		"a deadline does once the annotation is over": {
			pod: pod("a", "cart", calm("0s"), started(time.Hour)), policy: Policy{Deadline: *force},
			want: Verdict{Behavior: "Evict", Deadline: *force, Until: ago(time.Hour)},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.want.Behavior != BehaviorSkip {
				tc.want.Deadline.Action = cmp.Or(tc.want.Deadline.Action, "Wait")
			}
			if got := Classify(tc.pod, tc.policy, noon); got != tc.want {
				t.Errorf("Classify() = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestOwnerName(t *testing.T) {
	tests := map[string]struct {
		pod  Pod
		want string
	}{
		"Deployment, by the template hash":    {pod: pod("a", "cart"), want: "Deployment/cart"},
		"ReplicaSet of its own":               {pod: pod("a", "cart", label("x", "y")), want: "ReplicaSet/cart-5d4f"},
		"ReplicaSet named after another hash": {pod: pod("a", "cart", label("pod-template-hash", "77aa")), want: "ReplicaSet/cart-5d4f"},
		"ReplicaSet of another group":         {pod: pod("a", "cart", kind("example.com", "ReplicaSet")), want: "ReplicaSet/cart"},
		"StatefulSet":                         {pod: pod("a", "db", kind("apps", "StatefulSet")), want: "StatefulSet/db"},
		"no controller":                       {pod: pod("a", "tool", bare), want: ""},
		"name that is nothing but the hash's tail": {pod: Pod{
			Labels:     map[string]string{"pod-template-hash": "5d4f"},
			Controller: Controller{Group: "apps", Kind: "ReplicaSet", Name: "-5d4f"},
		}, want: "ReplicaSet/-5d4f"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := OwnerName(tc.pod); got != tc.want {
				t.Errorf("OwnerName() = %q, want %q", got, tc.want)
			}
		})
	}
}
