package v1alpha1_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

const (
	registryScope = "scope: /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr/providers/Microsoft.ContainerRegistry/registries/shared\n"
	groupScope    = "scope: /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr\n"
	kubelet       = "clusterName: prod-eu-1\nprincipal: {clusterIdentity: Kubelet}\n"
	somebody      = "principal: {objectID: 11111111-1111-1111-1111-111111111111}\n"
	pull          = "role: {name: AcrPull}\n"
)

func roleAssignment(t *testing.T, name, spec string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "fleetwright.io/v1alpha1", "kind": "AzureRoleAssignment", "metadata": map[string]any{"name": name, "namespace": "default"},
	}}
	var content map[string]any
	if err := yaml.Unmarshal([]byte(spec), &content); err != nil {
		t.Fatal(err)
	}
	object.Object["spec"] = content
	return object
}

func TestAzureRoleAssignmentAdmission(t *testing.T) {
	const (
		role     = "spec.role: give either role.name or role.id"
		who      = "spec.principal: give either principal.clusterIdentity or principal.objectID"
		kind     = "spec.principal: principal.type goes with principal.objectID: the identities of a cluster are of type ServicePrincipal"
		cluster  = "spec: clusterIdentity needs clusterName"
		registry = "spec: pullCheck needs a registry as scope"
		node     = "spec: pullCheck needs clusterName: a node of that cluster pulls"
		scope    = "spec.scope: spec.scope in body should match "
		image    = "spec.pullCheck.image: spec.pullCheck.image in body should match "
	)
	for name, test := range map[string]struct {
		spec string
		want []string // field: sentence, as far as it is given; empty: accepted
	}{
		"the least":             {spec: groupScope + pull + somebody},
		"for a kubelet":         {spec: registryScope + pull + kubelet},
		"for the control plane": {spec: groupScope + pull + "clusterName: c\nprincipal: {clusterIdentity: ControlPlane}"},
		"everything": {spec: registryScope + "role: {id: 7f951dda-4ed3-4680-a7ca-43fe172d538d}\nclusterName: c\nprincipal: {objectID: 11111111-1111-1111-1111-111111111111, type: Group}\n" +
			"existingPolicy: Report\npullCheck: {image: 'probe/pause:3.10'}\ndriftPolicy: Adopt\nreconcile: NonDisruptive\ndeletionPolicy: Retain"},
		"at a management group": {spec: "scope: /providers/Microsoft.Management/managementGroups/mine\n" + pull + somebody},
		"at a subscription":     {spec: "scope: /subscriptions/00000000-0000-0000-0000-000000000001\n" + pull + somebody},
		"nothing":               {spec: "{}", want: []string{"spec.principal: Required value", "spec.role: Required value", "spec.scope: Required value"}},

		"scope of no GUID":         {spec: "scope: /subscriptions/mine\n" + pull + somebody, want: []string{scope}},
		"scope ends in a slash":    {spec: strings.TrimSuffix(groupScope, "\n") + "/\n" + pull + somebody, want: []string{scope}},
		"scope with a query":       {spec: strings.TrimSuffix(groupScope, "\n") + "?x\n" + pull + somebody, want: []string{scope}},
		"scope with an escape":     {spec: strings.TrimSuffix(groupScope, "\n") + "/%2e\n" + pull + somebody, want: []string{scope}},
		"scope of everything":      {spec: "scope: /\n" + pull + somebody, want: []string{scope}},
		"scope that is too long":   {spec: strings.TrimSuffix(groupScope, "\n") + strings.Repeat("/x", 512) + "\n" + pull + somebody, want: []string{"spec.scope: Too long"}},
		"R3 no role":               {spec: groupScope + "role: {}\n" + somebody, want: []string{"spec.role: ", role}},
		"R3 two roles":             {spec: groupScope + "role: {name: AcrPull, id: 7f951dda-4ed3-4680-a7ca-43fe172d538d}\n" + somebody, want: []string{role}},
		"role with a quote":        {spec: groupScope + "role: {name: \"it's\"}\n" + somebody, want: []string{"spec.role.name: "}},
		"role id of no GUID":       {spec: groupScope + "role: {id: AcrPull}\n" + somebody, want: []string{"spec.role.id: "}},
		"R4 nobody":                {spec: groupScope + pull + "clusterName: c\nprincipal: {}", want: []string{"spec.principal: ", who}},
		"R4 two principals":        {spec: groupScope + pull + "clusterName: c\nprincipal: {clusterIdentity: Kubelet, objectID: 11111111-1111-1111-1111-111111111111}", want: []string{who}},
		"type of a cluster's":      {spec: groupScope + pull + "clusterName: c\nprincipal: {clusterIdentity: Kubelet, type: User}", want: []string{kind}},
		"another type":             {spec: groupScope + pull + "principal: {objectID: 11111111-1111-1111-1111-111111111111, type: Device}", want: []string{"spec.principal.type: Unsupported value"}},
		"R1 identity of nothing":   {spec: groupScope + pull + "principal: {clusterIdentity: Kubelet}", want: []string{cluster}},
		"R5 no registry":           {spec: groupScope + pull + kubelet + "pullCheck: {image: 'a:1'}", want: []string{registry}},
		"R5 below a registry":      {spec: strings.TrimSuffix(registryScope, "\n") + "/tasks/x\n" + pull + kubelet + "pullCheck: {image: 'a:1'}", want: []string{registry}},
		"R5 in another case":       {spec: strings.Replace(registryScope, "Microsoft.ContainerRegistry", "microsoft.containerREGISTRY", 1) + pull + kubelet + "pullCheck: {image: 'a:1'}"},
		"pull without a cluster":   {spec: registryScope + pull + somebody + "pullCheck: {image: 'a:1'}", want: []string{node}},
		"image by digest":          {spec: registryScope + pull + kubelet + "pullCheck: {image: 'a/b@sha256:" + strings.Repeat("0a", 32) + "'}"},
		"image without a tag":      {spec: registryScope + pull + kubelet + "pullCheck: {image: probe/pause}"},
		"image with a registry":    {spec: registryScope + pull + kubelet + "pullCheck: {image: 'host:443/probe/pause'}", want: []string{image}},
		"image in upper case":      {spec: registryScope + pull + kubelet + "pullCheck: {image: 'Probe:1'}", want: []string{image}},
		"another deletion policy":  {spec: groupScope + pull + somebody + "deletionPolicy: Orphan", want: []string{"spec.deletionPolicy: Unsupported value"}},
		"another existing policy":  {spec: groupScope + pull + somebody + "existingPolicy: Heal", want: []string{"spec.existingPolicy: Unsupported value"}},
		"cluster of another shape": {spec: groupScope + pull + "clusterName: A\n" + somebody, want: []string{"spec.clusterName: "}},
	} {
		t.Run(name, func(t *testing.T) {
			got := refusals(t, server.Create(t.Context(), roleAssignment(t, "refused", test.spec), client.DryRunAll))
			compareRefusals(t, test.want, got)
		})
	}
}

// compareRefusals compares as much of each sentence as is wanted.
func compareRefusals(t *testing.T, want, got []string) {
	t.Helper()
	short := make([]string, len(got))
	for i, g := range got {
		short[i] = g
		if i < len(want) && strings.HasPrefix(g, want[i]) {
			short[i] = want[i]
		}
	}
	if diff := cmp.Diff(want, short); diff != "" && len(want)+len(got) > 0 {
		t.Errorf("refused differently (-want +got):\n%s", diff)
	}
}

// TestAzureRoleAssignmentCannotBecomeAnother: with fields that change, a lost status would lose the assignment that was made.
func TestAzureRoleAssignmentCannotBecomeAnother(t *testing.T) {
	const immutable = "spec: scope, role, principal and clusterName are immutable (as in Azure): create another AzureRoleAssignment"
	first := roleAssignment(t, "immutable", registryScope+pull+kubelet)
	if err := server.Create(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Delete(t.Context(), first) })
	for name, test := range map[string]struct {
		spec string
		want []string
	}{
		"policies":        {registryScope + pull + kubelet + "driftPolicy: Report\nexistingPolicy: Report\nreconcile: Paused\ndeletionPolicy: Retain\npullCheck: {image: 'a:1'}", nil},
		"scope":           {groupScope + pull + kubelet, []string{immutable}},
		"role":            {registryScope + "role: {name: AcrPush}\n" + kubelet, []string{immutable}},
		"principal":       {registryScope + pull + "clusterName: prod-eu-1\nprincipal: {clusterIdentity: ControlPlane}", []string{immutable}},
		"cluster":         {registryScope + pull + "clusterName: prod-eu-2\nprincipal: {clusterIdentity: Kubelet}", []string{immutable}},
		"without cluster": {registryScope + pull + somebody, []string{immutable}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := roleAssignment(t, "immutable", test.spec)
			changed.SetResourceVersion(first.GetResourceVersion())
			compareRefusals(t, test.want, refusals(t, server.Update(t.Context(), changed, client.DryRunAll)))
		})
	}
}

func TestExampleOfRoleAssignmentsIsAccepted(t *testing.T) {
	text, err := os.ReadFile("../../examples/role-assignments/registry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Split(string(text), "\n---\n")
	for _, document := range documents {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		if err := server.Create(t.Context(), &unstructured.Unstructured{Object: object}, client.DryRunAll); err != nil {
			t.Error(err)
		}
	}
	if len(documents) != 2 {
		t.Errorf("%d documents", len(documents))
	}
}
