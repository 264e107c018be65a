package v1alpha1_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/fleetwright/fleetwright/api/v1alpha1"
)

const (
	drainOrder     = "order can only be set when behavior is Drain"
	drainSkip      = "deadline cannot be set when behavior is Skip: nobody waits for these pods"
	drainDeadline  = "Quarantine and Force need afterSeconds; Wait takes none"
	drainRung      = "a rung needs afterSeconds; None takes none"
	drainTenant    = "RestartSingleton and ScaleUpBudget change a tenant's workload: wait at least 60 seconds"
	drainNone      = "None means no ladder at all: it can only stand alone"
	drainNames     = "drain rule names must be unique"
	drainValues    = "In and NotIn need values; Exists and DoesNotExist take none"
	drainAnything  = `{name: a, behavior: Drain}`
	drainSelector0 = "spec.drain.rules[0].pods[0].selector"
)

func TestDrainAdmission(t *testing.T) {
	rule := func(more string) string { return "drain: {rules: [{name: a, behavior: Drain, " + more + "}]}" }
	matching := func(requirement string) string {
		return rule("pods: [{selector: {matchExpressions: [" + requirement + "]}}]")
	}
	bound := func(path, relation string) []string {
		return []string{"spec.drain." + path + ": spec.drain." + path + " in body should " + relation}
	}
	for name, test := range map[string]struct {
		spec string
		want []string
	}{
		"everything":         {spec: "drain: " + wholeDrain},
		"nothing in it":      {spec: "drain: {}", want: []string{"spec.drain: spec.drain in body should have at least 1 properties"}},
		"no rules":           {spec: "drain: {rules: []}", want: []string{"spec.drain.rules: spec.drain.rules in body should have at least 1 items"}},
		"most rules":         {spec: "drain: {rules: [" + numbered("{name: r%d, behavior: Drain}", 16) + "]}"},
		"too many rules":     {spec: "drain: {rules: [" + numbered("{name: r%d, behavior: Drain}", 17) + "]}", want: []string{"spec.drain.rules: Too many: 17: must have at most 16 items"}},
		"no name":            {spec: "drain: {rules: [{behavior: Drain}]}", want: []string{"spec.drain.rules[0].name: Required value"}},
		"longest name":       {spec: "drain: {rules: [{name: " + strings.Repeat("a", 63) + ", behavior: Drain}]}"},
		"name too long":      {spec: "drain: {rules: [{name: " + strings.Repeat("a", 64) + ", behavior: Drain}]}", want: []string{"spec.drain.rules[0].name: Too long: may not be more than 63 bytes"}},
		"name is none":       {spec: "drain: {rules: [{name: A, behavior: Drain}]}", want: []string{`spec.drain.rules[0].name: spec.drain.rules[0].name in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'`}},
		"D4 a name twice":    {spec: "drain: {rules: [" + drainAnything + ", " + drainAnything + "]}", want: []string{"spec.drain.rules: " + drainNames}},
		"no behavior":        {spec: "drain: {rules: [{name: a}]}", want: []string{"spec.drain.rules[0].behavior: Required value"}},
		"unknown behavior":   {spec: "drain: {rules: [{name: a, behavior: Kill}]}", want: []string{`spec.drain.rules[0].behavior: Unsupported value: "Kill": supported values: "Drain", "Skip", "WaitCompleted"`}},
		"D1 an order":        {spec: rule("order: -2147483648")},
		"D1 order of none":   {spec: rule("order: 0")},
		"D1 skip in order":   {spec: "drain: {rules: [{name: a, behavior: Skip, order: 0}]}", want: []string{"spec.drain.rules[0]: " + drainOrder}},
		"D1 wait in order":   {spec: "drain: {rules: [{name: a, behavior: WaitCompleted, order: 1}]}", want: []string{"spec.drain.rules[0]: " + drainOrder}},
		"order beyond int32": {spec: rule("order: 2147483648"), want: []string{"<nil>: Checked value must be of type integer with format int32 in spec.drain.rules[0].order"}},
		"a skip in time":     {spec: "drain: {rules: [{name: a, behavior: Skip, deadline: {action: Wait}}]}", want: []string{"spec.drain.rules[0]: " + drainSkip}},
		"a job in time":      {spec: "drain: {rules: [{name: a, behavior: WaitCompleted, deadline: {action: Force, afterSeconds: 3600}}]}"},

		"no pods":                {spec: rule("pods: []"), want: []string{"spec.drain.rules[0].pods: spec.drain.rules[0].pods in body should have at least 1 items"}},
		"pods of nothing":        {spec: rule("pods: [{}]"), want: []string{"spec.drain.rules[0].pods[0]: spec.drain.rules[0].pods[0] in body should have at least 1 properties"}},
		"most pods":              {spec: rule("pods: [" + numbered("{selector: {matchLabels: {a: v%d}}}", 8) + "]")},
		"too many pods":          {spec: rule("pods: [" + numbered("{selector: {matchLabels: {a: v%d}}}", 9) + "]"), want: []string{"spec.drain.rules[0].pods: Too many: 9: must have at most 8 items"}},
		"an empty selector":      {spec: rule("pods: [{selector: {}}]"), want: []string{drainSelector0 + ": " + drainSelector0 + " in body should have at least 1 properties"}},
		"an empty one of two":    {spec: rule("pods: [{selector: {matchLabels: {a: b}}, namespaceSelector: {}}]"), want: bound("rules[0].pods[0].namespaceSelector", "have at least 1 properties")},
		"no labels":              {spec: rule("pods: [{selector: {matchLabels: {}}}]"), want: []string{drainSelector0 + ".matchLabels: " + drainSelector0 + ".matchLabels in body should have at least 1 properties"}},
		"most labels":            {spec: rule("pods: [{selector: {matchLabels: {" + numbered("k%d: v", 16) + "}}}]")},
		"too many labels":        {spec: rule("pods: [{selector: {matchLabels: {" + numbered("k%d: v", 17) + "}}}]"), want: []string{drainSelector0 + ".matchLabels: Too many: 17: must have at most 16 items"}},
		"a label's key is none":  {spec: rule("pods: [{selector: {matchLabels: {'a b': c}}}]"), want: []string{drainSelector0 + ".matchLabels: " + labelKey}},
		"longest key":            {spec: rule("pods: [{selector: {matchLabels: {" + longestKey + ": v}}}]")},
		"prefix too long":        {spec: rule("pods: [{selector: {matchLabels: {p" + longestKey + ": v}}}]"), want: []string{drainSelector0 + ".matchLabels: " + labelKey}},
		"many large selectors":   {spec: "drain: {rules: [" + numbered("{name: r%d, behavior: Drain, pods: ["+strings.ReplaceAll(numbered("{selector: {matchLabels: {example.com/a%d: b, example.com/c: d, e: f, g: h}}}", 8), "%", "%%")+"]}", 16) + "]}"},
		"an empty label":         {spec: rule("pods: [{selector: {matchLabels: {a: ''}}}]")},
		"a label that is none":   {spec: rule("pods: [{selector: {matchLabels: {a: 'b c'}}}]"), want: []string{drainSelector0 + ".matchLabels.a: " + drainSelector0 + `.matchLabels.a in body should match '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$'`}},
		"no expressions":         {spec: matching(""), want: []string{drainSelector0 + ".matchExpressions: " + drainSelector0 + ".matchExpressions in body should have at least 1 items"}},
		"most expressions":       {spec: matching(numbered("{key: k%d, operator: Exists}", 16))},
		"too many expressions":   {spec: matching(numbered("{key: k%d, operator: Exists}", 17)), want: []string{drainSelector0 + ".matchExpressions: Too many: 17: must have at most 16 items"}},
		"an operator too small":  {spec: matching("{key: a, operator: exists}"), want: []string{drainSelector0 + `.matchExpressions[0].operator: Unsupported value: "exists": supported values: "In", "NotIn", "Exists", "DoesNotExist"`}},
		"a key that is none":     {spec: matching("{key: 'a b', operator: Exists}"), want: []string{drainSelector0 + ".matchExpressions[0].key: " + drainSelector0 + `.matchExpressions[0].key in body should match '` + labelKeyPattern + `'`}},
		"longest required key":   {spec: matching("{key: " + longestKey + ", operator: Exists}")},
		"its prefix too long":    {spec: matching("{key: p" + longestKey[:len(longestKey)-1] + ", operator: Exists}"), want: []string{drainSelector0 + ".matchExpressions[0].key: the prefix of a label's key has at most 253 characters"}},
		"in some":                {spec: matching("{key: example.com/a, operator: In, values: [b, '']}")},
		"in none":                {spec: matching("{key: a, operator: In}"), want: []string{drainSelector0 + ".matchExpressions[0]: " + drainValues}},
		"not in none":            {spec: matching("{key: a, operator: NotIn}"), want: []string{drainSelector0 + ".matchExpressions[0]: " + drainValues}},
		"exists in some":         {spec: matching("{key: a, operator: Exists, values: [b]}"), want: []string{drainSelector0 + ".matchExpressions[0]: " + drainValues}},
		"missing in some":        {spec: matching("{key: a, operator: DoesNotExist, values: [b]}"), want: []string{drainSelector0 + ".matchExpressions[0]: " + drainValues}},
		"most values":            {spec: matching("{key: a, operator: In, values: [" + numbered("v%d", 32) + "]}")},
		"too many values":        {spec: matching("{key: a, operator: In, values: [" + numbered("v%d", 33) + "]}"), want: []string{drainSelector0 + ".matchExpressions[0].values: Too many: 33: must have at most 32 items"}},
		"a value twice":          {spec: matching("{key: a, operator: In, values: [b, b]}"), want: []string{drainSelector0 + `.matchExpressions[0].values[1]: Duplicate value: "b"`}},
		"a namespace's operator": {spec: rule("pods: [{namespaceSelector: {matchExpressions: [{key: a, operator: Is}]}}]"), want: []string{`spec.drain.rules[0].pods[0].namespaceSelector.matchExpressions[0].operator: Unsupported value: "Is": supported values: "In", "NotIn", "Exists", "DoesNotExist"`}},

		"unknown wait":      {spec: "drain: {waitFor: Godot}", want: []string{`spec.drain.waitFor: Unsupported value: "Godot": supported values: "Eviction", "ReplacementReady"`}},
		"unmanaged deleted": {spec: "drain: {unmanagedPods: Delete}", want: []string{`spec.drain.unmanagedPods: Unsupported value: "Delete": supported values: "Wait", "Evict"`}},

		"D2 wait":               {spec: "drain: {deadline: {action: Wait}}"},
		"D2 shortest":           {spec: "drain: {deadline: {action: Quarantine, afterSeconds: 900}}"},
		"D2 longest":            {spec: "drain: {deadline: {action: Force, afterSeconds: 2592000}}"},
		"D2 wait for a time":    {spec: "drain: {deadline: {action: Wait, afterSeconds: 900}}", want: []string{"spec.drain.deadline: " + drainDeadline}},
		"D2 force at once":      {spec: "drain: {deadline: {action: Force}}", want: []string{"spec.drain.deadline: " + drainDeadline}},
		"D2 quarantine at once": {spec: "drain: {deadline: {action: Quarantine}}", want: []string{"spec.drain.deadline: " + drainDeadline}},
		"D2 of a rule":          {spec: rule("deadline: {action: Force}"), want: []string{"spec.drain.rules[0].deadline: " + drainDeadline}},
		"deadline of nothing":   {spec: "drain: {deadline: {}}", want: []string{"spec.drain.deadline.action: Required value"}},
		"deadline unknown":      {spec: "drain: {deadline: {action: Kill}}", want: []string{`spec.drain.deadline.action: Unsupported value: "Kill": supported values: "Wait", "Quarantine", "Force"`}},
		"deadline too short":    {spec: "drain: {deadline: {action: Force, afterSeconds: 899}}", want: bound("deadline.afterSeconds", "be greater than or equal to 900")},
		"deadline too long":     {spec: "drain: {deadline: {action: Force, afterSeconds: 2592001}}", want: bound("deadline.afterSeconds", "be less than or equal to 2592000")},
		"a rule's too short":    {spec: rule("deadline: {action: Force, afterSeconds: 1}"), want: bound("rules[0].deadline.afterSeconds", "be greater than or equal to 900")},

		"no ladder by a list":   {spec: "drain: {ladder: []}", want: []string{"spec.drain.ladder: spec.drain.ladder in body should have at least 1 items"}},
		"no ladder":             {spec: "drain: {ladder: [{action: None}]}"},
		"none and another":      {spec: "drain: {ladder: [{action: None}, {action: Notify, afterSeconds: 0}]}", want: []string{"spec.drain.ladder: " + drainNone}},
		"none with a time":      {spec: "drain: {ladder: [{action: None, afterSeconds: 60}]}", want: []string{"spec.drain.ladder[0]: " + drainRung}},
		"D3 told at once":       {spec: "drain: {ladder: [{action: Notify, afterSeconds: 0}]}"},
		"D3 told at last":       {spec: "drain: {ladder: [{action: Notify, afterSeconds: 604800}]}"},
		"D3 restart":            {spec: "drain: {ladder: [{action: RestartSingleton, afterSeconds: 60}]}"},
		"D3 restart too soon":   {spec: "drain: {ladder: [{action: RestartSingleton, afterSeconds: 59}]}", want: []string{"spec.drain.ladder[0]: " + drainTenant}},
		"D3 scale up too soon":  {spec: "drain: {ladder: [{action: ScaleUpBudget, afterSeconds: 0}]}", want: []string{"spec.drain.ladder[0]: " + drainTenant}},
		"a rung without time":   {spec: "drain: {ladder: [{action: ScaleUpBudget}]}", want: []string{"spec.drain.ladder[0]: " + drainRung}},
		"a rung before time":    {spec: "drain: {ladder: [{action: Notify, afterSeconds: -1}]}", want: bound("ladder[0].afterSeconds", "be greater than or equal to 0")},
		"a rung after all time": {spec: "drain: {ladder: [{action: Notify, afterSeconds: 604801}]}", want: bound("ladder[0].afterSeconds", "be less than or equal to 604800")},
		"a rung without action": {spec: "drain: {ladder: [{afterSeconds: 60}]}", want: []string{"spec.drain.ladder[0].action: Required value"}},
		"an unknown rung":       {spec: "drain: {ladder: [{action: Page, afterSeconds: 60}]}", want: []string{`spec.drain.ladder[0].action: Unsupported value: "Page": supported values: "None", "Notify", "RestartSingleton", "ScaleUpBudget"`}},
		"a rung twice":          {spec: "drain: {ladder: [{action: Notify, afterSeconds: 60}, {action: Notify, afterSeconds: 600}]}", want: []string{`spec.drain.ladder[1]: Duplicate value: {"action":"Notify"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			err := server.Create(t.Context(), nodepool(t, "", test.spec), client.DryRunAll)
			if diff := cmp.Diff(test.want, refusals(t, err)); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDrainExampleIsAccepted(t *testing.T) {
	text, err := os.ReadFile("../../examples/drain/nodepool.yaml")
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{Object: fields(t, string(text))}
	strict := client.WithFieldValidation(server, metav1.FieldValidationStrict)
	if err := strict.Create(t.Context(), object, client.DryRunAll); err != nil {
		t.Error(err)
	}
}

// The policy may change in the middle of a drain, whole or in part.
func TestDrainPolicyCanChange(t *testing.T) {
	object := nodepool(t, "c1-draining", "drain: "+wholeDrain)
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	for _, policy := range []string{`{waitFor: Eviction}`, `{deadline: {action: Force, afterSeconds: 900}}`, wholeDrain, ""} {
		spec := object.Object["spec"].(map[string]any)
		if delete(spec, "drain"); policy != "" {
			spec["drain"] = fields(t, policy)
		}
		if err := server.Update(t.Context(), object); err != nil {
			t.Errorf("changing drain to %s was refused: %v", policy, err)
		}
	}
}

// What users write is what the operator reads.
func TestDrainPolicyIsReadAsItIsWritten(t *testing.T) {
	object := nodepool(t, "c1-read", "drain: "+wholeDrain)
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	var read v1alpha1.Nodepool
	if err := server.Get(t.Context(), client.ObjectKeyFromObject(object), &read); err != nil {
		t.Fatal(err)
	}
	written, err := yaml.Marshal(read.Spec.Drain)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fields(t, wholeDrain), fields(t, string(written))); diff != "" {
		t.Errorf("read differently (-written +read):\n%s", diff)
	}
}

const wholeDrain = `{
  rules: [
    {name: databases, pods: [{selector: {matchLabels: {tier: db}}, namespaceSelector: {matchExpressions: [{key: env, operator: In, values: [prod, stage]}]}}],
     behavior: Drain, order: 10, deadline: {action: Wait}},
    {name: agents, pods: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: agents}}}], behavior: Skip},
    {name: jobs, pods: [{selector: {matchExpressions: [{key: job-name, operator: Exists}]}}], behavior: WaitCompleted, deadline: {action: Quarantine, afterSeconds: 86400}}],
  waitFor: Eviction, unmanagedPods: Evict,
  ladder: [{action: Notify, afterSeconds: 0}, {action: RestartSingleton, afterSeconds: 300}, {action: ScaleUpBudget, afterSeconds: 900}],
  deadline: {action: Quarantine, afterSeconds: 14400}}`

var longestKey = strings.Repeat("p", 253) + "/" + strings.Repeat("n", 63)

const labelKeyPattern = `^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$`

func fields(t *testing.T, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(fmt.Errorf("the test's YAML: %w", err))
	}
	return out
}
