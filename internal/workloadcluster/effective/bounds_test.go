package effective

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// entriesOf are so many entries of a form, called by a letter and a number.
func entriesOf(letter string, many int, form string) string {
	var all []string
	for i := range many {
		all = append(all, strings.ReplaceAll(form, "NAME", fmt.Sprint(letter, i)))
	}
	return strings.Join(all, ", ")
}

// Class and cluster may each have as much as the API takes, and together they have more.
func TestWhatIsTooMuchTogether(t *testing.T) {
	const pool = "nodepools: [{name: a, spec: {mode: System, machineType: m}}, {name: b, spec: {machineType: m}}]\n"
	whole := func(letter string, many int, single bool) string {
		text := fmt.Sprintf("azure: {location: westeurope, tags: {%s}}\n", entriesOf(letter, many, "NAME: x"))
		text += fmt.Sprintf("addons: [%s]\n", entriesOf(letter, many, "{name: NAME, kind: HelmRelease}"))
		text += fmt.Sprintf("additionalConfig: {registries: [%s], roleAssignments: [%s]}\n", entriesOf(letter, many, "{name: NAME, id: /NAME}"), entriesOf(letter, many, "{name: NAME}"))
		text += fmt.Sprintf("nodepoolDefaults: {labels: {%s}, tags: {%s}}\n", entriesOf(letter, many, "NAME: x"), entriesOf(letter, many, "NAME: x"))
		if single {
			text += "tenancy: {mode: Single, tenant: t}\n"
		}
		return text
	}
	problems := func(class, cluster string) string {
		var lines []string
		for _, p := range Problems("t-c", merged(t, class, cluster), nil) {
			lines = append(lines, p.Reason+": "+p.Message)
		}
		return strings.Join(lines, "\n")
	}
	if got := problems("version: v1.34.2\n"+whole("a", 16, false), pool+whole("b", 16, false)); got != "" {
		t.Errorf("as many as may be:\n%s", got)
	}
	const says = "has %d entries, those of the class included, and may have %d: take some out"
	var want []string
	for _, each := range []struct {
		path      string
		has, most int
	}{
		{"addons", 66, 32}, {"azure.tags", 66, 40}, {"additionalConfig.registries", 66, 32}, {"additionalConfig.roleAssignments", 66, 63},
		{"nodepools[a].spec.labels", 66, 63}, {"nodepools[a].spec.tags", 66, 40}, {"nodepools[b].spec.labels", 66, 63}, {"nodepools[b].spec.tags", 66, 40},
	} {
		want = append(want, "InvalidSpec: "+each.path+" "+fmt.Sprintf(says, each.has, each.most))
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), problems("version: v1.34.2\n"+whole("a", 33, false), pool+whole("b", 33, true))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	taints := strings.Replace(pool, "{machineType: m}", "{machineType: m, taints: ["+entriesOf("a", 32, "{key: NAME, effect: NoSchedule}")+"]}", 1)
	for tenancy, want := range map[string]string{
		"": "", "tenancy: {mode: Single, tenant: t}\n": "InvalidSpec: nodepools[b].spec.taints " + fmt.Sprintf(says, 32, 31),
	} {
		if got := problems("version: v1.34.2\nazure: {location: westeurope}\n", taints+tenancy); got != want {
			t.Errorf("taints, %s: %q", tenancy, got)
		}
	}
	pools := func(letter string, many int) string {
		return "nodepools: [" + entriesOf(letter, many, "{name: NAME, spec: {mode: System, machineType: m}}") + "]\n"
	}
	want = []string{"InvalidSpec: nodepools " + fmt.Sprintf(says, 41, 24)}
	if diff := cmp.Diff(want[0], problems("version: v1.34.2\nazure: {location: westeurope}\n"+pools("a", 24), pools("b", 17))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
