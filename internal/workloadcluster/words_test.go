package workloadcluster

import (
	"strings"
	"testing"
)

// What is quoted of a Nodepool that gives a reason and no words is the reason: no message ends in a colon.
func TestANodepoolWithoutWords(t *testing.T) {
	w := serving(t)
	w.pool("c-general").Status.Conditions = saying("Ready False Moving", "Available False NoNodes", "UpToDate False ReplacementNeeded")
	in := intend(w, noon)
	p := decide(w, &in, noon)
	said := 0
	for _, c := range conditions(w, &p) {
		if strings.HasSuffix(c.Message, ": ") {
			t.Errorf("%s says %q", c.Type, c.Message)
		}
		if strings.HasSuffix(c.Message, "Nodepool c-general: Moving") || strings.HasSuffix(c.Message, "Nodepool c-general: NoNodes") || strings.HasSuffix(c.Message, "Nodepool c-general: ReplacementNeeded") {
			said++
		}
	}
	if said != 4 {
		t.Errorf("%d of Ready, Available, UpToDate and NodepoolsReady quote it: %v", said, conditions(w, &p))
	}
}
