package capi

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"github.com/fleetwright/fleetwright/drain"
)

// Each machine selector of Cluster API's own cases, and those of a pool.
func TestWhichMachineDrainRulesSelectAPool(t *testing.T) {
	for name, test := range map[string]struct {
		machines string
		want     bool
	}{
		"none selects all":                        {"", true},
		"an empty one selects all":                {"[{selector: {}}]", true},
		"the template's label":                    {"[{selector: {matchLabels: {os: linux}}}]", true},
		"another label":                           {"[{selector: {matchLabels: {os: windows}}}]", false},
		"a label that is missing":                 {"[{selector: {matchExpressions: [{key: cluster.x-k8s.io/control-plane, operator: Exists}]}}]", false},
		"the cluster's label":                     {"[{clusterSelector: {matchLabels: {stage: production}}}]", true},
		"another cluster's label":                 {"[{clusterSelector: {matchLabels: {stage: test}}}]", false},
		"both":                                    {"[{selector: {matchLabels: {os: linux}}, clusterSelector: {matchExpressions: [{key: stage, operator: In, values: [production]}]}}]", true},
		"the machine's only":                      {"[{selector: {matchLabels: {os: linux}}, clusterSelector: {matchLabels: {stage: test}}}]", false},
		"the cluster's only":                      {"[{selector: {matchLabels: {os: windows}}, clusterSelector: {matchLabels: {stage: production}}}]", false},
		"the second of two":                       {"[{selector: {matchLabels: {os: windows}}}, {clusterSelector: {matchLabels: {stage: production}}}]", true},
		"neither of two":                          {"[{selector: {matchLabels: {os: windows}}}, {clusterSelector: {matchLabels: {stage: test}}}]", false},
		"Cluster API's label of the cluster":      {"[{selector: {matchLabels: {cluster.x-k8s.io/cluster-name: prod-eu-1}}}]", true},
		"Cluster API's label of the pool":         {"[{selector: {matchLabels: {cluster.x-k8s.io/pool-name: o}}}]", true},
		"the cluster's label is no machine's":     {"[{selector: {matchLabels: {stage: production}}}]", false},
		"the MachinePool's own label is no other": {"[{selector: {matchLabels: {fleetwright.io/nodepool: np}}}]", false},
	} {
		t.Run(name, func(t *testing.T) {
			machines := ""
			if test.machines != "" {
				machines = "\nmachines: " + test.machines
			}
			got, err := readRules(t, machineDrainRule(t, "rule", "drain: {behavior: Skip}"+machines))
			if err != nil {
				t.Fatal(err)
			}
			if (len(got) == 1) != test.want {
				t.Errorf("%d rules, want that it selects: %v", len(got), test.want)
			}
		})
	}
}

func TestMachineDrainRulesAreReadAsClusterAPIReadsThem(t *testing.T) {
	elsewhere := machineDrainRule(t, "elsewhere", "drain: {behavior: Skip}")
	elsewhere.Namespace = "prod-us"
	got, err := readRules(t, elsewhere,
		machineDrainRule(t, "b-jobs", "drain: {behavior: WaitCompleted}\npods: [{selector: {matchLabels: {job: x}}}, {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: batch}}}]"),
		machineDrainRule(t, "c-all", "drain: {behavior: Drain, order: -5}"),
		machineDrainRule(t, "a-agents", "drain: {behavior: Skip}\npods: [{selector: {matchExpressions: [{key: agent, operator: Exists}]}, namespaceSelector: {}}]"))
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, r := range got {
		line := r.Name + " " + string(r.Behavior)
		for _, p := range r.Pods {
			line += " [" + p.Pod.String() + "|" + p.Namespace.String() + "]"
		}
		text = append(text, line)
	}
	want := []string{
		"MachineDrainRule/a-agents Skip [agent|]",
		"MachineDrainRule/b-jobs WaitCompleted [job=x|] [|kubernetes.io/metadata.name=batch]",
		"MachineDrainRule/c-all Drain",
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
	if got[2].Order != -5 || got[2].Deadline != nil {
		t.Errorf("the last one has order %d and deadline %v", got[2].Order, got[2].Deadline)
	}
	if !got[0].Pods[0].Namespace.Matches(labels.Set{"any": "thing"}) {
		t.Error("an empty namespaceSelector does not select every namespace")
	}
}

// Where Cluster API's webhook does not run, such rules can be made. Cluster API
// then drains nothing of the namespace, whatever the rule selects.
func TestABrokenMachineDrainRuleIsNamed(t *testing.T) {
	for path, spec := range map[string]string{
		"spec.machines[1].selector":        "machines: [{selector: {}}, {selector: {matchExpressions: [{key: a, operator: Is}]}}]",
		"spec.machines[0].clusterSelector": "machines: [{selector: {matchLabels: {os: windows}}, clusterSelector: {matchExpressions: [{key: a, operator: In}]}}]",
		"spec.pods[0].selector":            "pods: [{selector: {matchLabels: {'a b': c}}}]",
		"spec.pods[0].namespaceSelector":   "machines: [{selector: {matchLabels: {os: windows}}}]\npods: [{namespaceSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}]",
	} {
		t.Run(path, func(t *testing.T) {
			_, err := readRules(t, machineDrainRule(t, "a-good", "drain: {behavior: Skip}"), machineDrainRule(t, "broken", "drain: {behavior: Skip}\n"+spec))
			if !errors.Is(err, ErrInvalidDrainRule) {
				t.Fatalf("the error is %v", err)
			}
			if want := "MachineDrainRule prod-eu/broken cannot be understood, so nothing is drained: correct " + path + ": "; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("the error is %q, want %q", err, want)
			}
		})
	}
}

func TestAManagementClusterWithoutMachineDrainRulesHasNone(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"the kind is not known":      {&meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: clusterv1.GroupVersion.Group, Kind: "MachineDrainRule"}}, false},
		"they may not be listed":     {errCut, true},
		"the server does not answer": {context.DeadlineExceeded, true},
	} {
		t.Run(name, func(t *testing.T) {
			broken := interceptor.NewClient(ruleServer(t), interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
				return test.err
			}})
			rules, err := prod.ReadDrainRules(t.Context(), broken, Pool{Object: "o"})
			if (err != nil) != test.want || errors.Is(err, ErrInvalidDrainRule) || len(rules) > 0 {
				t.Errorf("%d rules, %v; want an error: %v", len(rules), err, test.want)
			}
		})
	}
}

// The labels are those of the MachinePool's template, as it is read with the pool.
func TestAPoolTellsTheLabelsOfItsTemplate(t *testing.T) {
	mp := &clusterv1.MachinePool{Spec: clusterv1.MachinePoolSpec{Template: clusterv1.MachineTemplateSpec{ObjectMeta: clusterv1.ObjectMeta{Labels: map[string]string{"os": "linux"}}}}}
	if diff := cmp.Diff(map[string]string{"os": "linux"}, viewPool(mp, nil, now).MachineLabels); diff != "" {
		t.Error(diff)
	}
}

func readRules(t *testing.T, rules ...client.Object) ([]drain.Rule, error) {
	t.Helper()
	c := prod
	c.Labels = map[string]string{"stage": "production"}
	template := map[string]string{"os": "linux"}
	pool := Pool{Object: "o", Nodepool: "np", MachineLabels: template}
	out, err := c.ReadDrainRules(t.Context(), ruleServer(t, rules...), pool)
	if len(template) != 1 {
		t.Errorf("the pool's labels became %v", template)
	}
	return out, err
}

func ruleServer(t *testing.T, objects ...client.Object) client.WithWatch {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func machineDrainRule(t *testing.T, name, spec string) *clusterv1.MachineDrainRule {
	t.Helper()
	out := &clusterv1.MachineDrainRule{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: key.Namespace}}
	if err := yaml.UnmarshalStrict([]byte(spec), &out.Spec); err != nil {
		t.Fatal(err)
	}
	return out
}
