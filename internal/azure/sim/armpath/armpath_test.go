package armpath_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

const (
	group   = "/subscriptions/s/resourceGroups/g"
	cluster = group + "/providers/Microsoft.ContainerService/managedClusters/c"
)

// view is what a test says about a path.
type view struct {
	Type, Name, Scope, Subscription, Group string
	Resource, OnResource                   bool
}

func TestParse(t *testing.T) {
	for path, want := range map[string]view{
		"/subscriptions":             {Type: "Microsoft.Resources/subscriptions"},
		"/subscriptions/s":           {Type: "Microsoft.Resources/subscriptions", Name: "s", Subscription: "s", Resource: true},
		"/subscriptions/s/":          {Type: "Microsoft.Resources/subscriptions", Name: "s", Subscription: "s", Resource: true},
		"/subscriptions/s/resources": {Type: "Microsoft.Resources/resources", Scope: "/subscriptions/s", Subscription: "s"},
		"/SUBSCRIPTIONS/s/resourcegroups/G": {Type: "Microsoft.Resources/resourcegroups", Name: "G", Scope: "/subscriptions/s", Subscription: "s",
			Group: "G", Resource: true},
		"/subscriptions/s/resourceGroups": {Type: "Microsoft.Resources/resourceGroups", Scope: "/subscriptions/s", Subscription: "s"},
		group + "/exportTemplate":         {Type: "Microsoft.Resources/resourceGroups/exportTemplate", Name: "g", Scope: "/subscriptions/s", Subscription: "s", Group: "g"},
		group + "/providers/Microsoft.Resources/deployments/d": {Type: "Microsoft.Resources/deployments", Name: "d", Scope: group, Subscription: "s",
			Group: "g", Resource: true},
		cluster: {Type: "Microsoft.ContainerService/managedClusters", Name: "c", Scope: group, Subscription: "s", Group: "g", Resource: true},
		cluster + "/agentPools": {Type: "Microsoft.ContainerService/managedClusters/agentPools", Name: "c", Scope: group, Subscription: "s",
			Group: "g"},
		cluster + "/agentPools/p%20q": {Type: "Microsoft.ContainerService/managedClusters/agentPools", Name: "p q", Scope: group, Subscription: "s",
			Group: "g", Resource: true},
		cluster + "/providers/Microsoft.Authorization/roleAssignments/r": {Type: "Microsoft.Authorization/roleAssignments", Name: "r",
			Scope: cluster, Subscription: "s", Group: "g", Resource: true, OnResource: true},
		group + "/providers/Microsoft.Authorization/roleAssignments/r": {Type: "Microsoft.Authorization/roleAssignments", Name: "r",
			Scope: group, Subscription: "s", Group: "g", Resource: true},
		"/providers/Microsoft.Authorization/roleDefinitions": {Type: "Microsoft.Authorization/roleDefinitions"},
		"/subscriptions/s/providers/Microsoft.ContainerService/locations/l/operations/o": {Type: "Microsoft.ContainerService/locations/operations",
			Name: "o", Scope: "/subscriptions/s", Subscription: "s", Resource: true},
	} {
		t.Run(path, func(t *testing.T) {
			p, err := armpath.Parse(path)
			if err != nil {
				t.Fatal(err)
			}
			got := view{p.Type(), p.Name(), p.Scope, p.Subscription, p.Group, p.IsResource(), p.ScopeIsResource}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, path := range map[string]string{
		"empty":                         "",
		"no slash":                      "subscriptions/s",
		"root":                          "/",
		"empty group name":              "/subscriptions/s/resourceGroups//providers/N/t/n",
		"double slash":                  "/subscriptions//s",
		"encoded slash":                 "/subscriptions/s/resourceGroups/a%2Fb",
		"broken escape":                 "/subscriptions/s/resourceGroups/a%2",
		"query in a name":               "/subscriptions/s/resourceGroups/a%3Fb",
		"control character":             "/subscriptions/s/resourceGroups/a%00b",
		"not UTF-8":                     "/subscriptions/s/resourceGroups/a%FFb",
		"another root":                  "/tenants/t",
		"provider without type":         group + "/providers/Microsoft.X",
		"provider without anything":     group + "/providers",
		"nested provider, no type":      cluster + "/providers/Microsoft.X/providers/Microsoft.Y/t/n",
		"collection as a scope":         cluster + "/agentPools/providers/Microsoft.X/t/n",
		"something after the group":     group + "/things/x",
		"something after the locations": "/subscriptions/s/locations/l",
		"too long a name":               "/subscriptions/s/resourceGroups/" + strings.Repeat("x", 261),
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := armpath.Parse(path); err == nil {
				t.Errorf("%s is read as %+v", path, p)
			}
		})
	}
}

func TestParent(t *testing.T) {
	p, err := armpath.Parse(cluster + "/listClusterAdminCredential")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Parent(); got.ID() != cluster || !got.IsResource() {
		t.Errorf("parent is %s", got.ID())
	}
	if got := p.Parent().Parent(); got.ID() != cluster {
		t.Errorf("parent of a top-level resource is %s", got.ID())
	}
}

// FuzzParse: whatever is read can be written and read again, and never has a part that would be an empty name.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"/", "/subscriptions", group, cluster, cluster + "/agentPools/p", cluster + "/providers/Microsoft.Authorization/roleAssignments/r",
		"/subscriptions/s/resourceGroups//providers/N/t/n", "/providers/a/b/c/providers/d/e", "/subscriptions/s/locations", group + "/x", "/%2e%2e/..",
		group + "/providers/Microsoft.Resources/resourceGroups/g", "/providers/Microsoft.Resources/subscriptions/x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p, err := armpath.Parse(path)
		if err != nil {
			return
		}
		if len(p.Types) == 0 || len(p.Names) > len(p.Types) || len(p.Names)+1 < len(p.Types) {
			t.Fatalf("%q: types %v, names %v", path, p.Types, p.Names)
		}
		for _, s := range append(append([]string{p.Namespace}, p.Types...), p.Names...) {
			if s == "" || strings.Contains(s, "/") {
				t.Fatalf("%q: part %q", path, s)
			}
		}
		again, err := armpath.Parse(escaped(p.ID()))
		if err != nil {
			t.Fatalf("%q: its id %q cannot be read: %v", path, p.ID(), err)
		}
		if again.Key() != p.Key() || again.Type() != p.Type() || again.ScopeIsResource != p.ScopeIsResource {
			t.Fatalf("%q: read again as %q (%s), first %q (%s)", path, again.Key(), again.Type(), p.Key(), p.Type())
		}
		if parent := p.Parent(); len(parent.Types) == 0 || len(p.Types) > 1 && !parent.IsResource() {
			t.Fatalf("%q: parent %q", path, parent.ID())
		}
	})
}

func escaped(id string) string {
	b := strings.Builder{}
	for _, c := range []byte(id) {
		if c > 0x7e {
			b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15])))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
