package adopt_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// class makes one in the fleet's namespace.
func (f *fleet) class(name, template string) {
	f.t.Helper()
	class := &fleetwrightv1.WorkloadClusterClass{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: name}}
	if err := yaml.UnmarshalStrict([]byte(template), &class.Spec.Template); err != nil {
		f.t.Fatal(err)
	}
	f.create(class)
}

func (f *fleet) expect(code int, out, errOut string, args ...string) {
	f.t.Helper()
	gotCode, gotOut, gotErr := f.run(append([]string{"adopt"}, args...)...)
	if gotCode != code {
		f.t.Errorf("adopt %v: exit code %d, want %d", args, gotCode, code)
	}
	if diff := cmp.Diff(strings.TrimPrefix(out, "\n"), gotOut); out != "-" && diff != "" {
		f.t.Errorf("adopt %v (-want +got):\n%s", args, diff)
	}
	if diff := cmp.Diff(strings.TrimPrefix(errOut, "\n"), gotErr); diff != "" {
		f.t.Errorf("adopt %v, error stream (-want +got):\n%s", args, diff)
	}
}

// What the class says is left out, and what it says otherwise is in the spec, or is told.
func TestOfAClass(t *testing.T) {
	f := newFleet(t, "classes")
	f.cluster("aso", "c", true)
	f.class("same", `
flavor: AzureASOManaged
version: 1.33.6
azure: {location: westeurope, tier: Standard, tags: {team: a}, credentialSecret: theirs, resourceGroupPolicy: Delete}
limits: {maxNodes: 100}
network: {dataplane: Cilium, outbound: LoadBalancer, addresses: [{name: pods, cidr: 10.0.0.0/12}, {name: services, cidr: 192.168.0.0/16}]}
nodepoolDefaults: {machineType: Standard_D8ds_v5, labels: {example.com/team: a}}
nodepools: [{name: system, spec: {mode: System}}]
providerOverrides: {oidcIssuerProfile: {enabled: true}, dnsPrefix: ours}
`)
	// The cap that holds is 950, the range of the pods another, and the cluster has one pool more.
	f.expect(0, `
apiVersion: fleetwright.io/v1alpha1
kind: WorkloadCluster
metadata:
  labels:
    stage: production
  name: c
  namespace: classes
spec:
  adoption:
    policy: Report
  azure:
    resourceGroup: rg-c
  classRef:
    name: same
  deletionPolicy: Retain
  limits:
    maxNodes: 950
  network:
    addresses:
    - cidr: 10.244.0.0/16
      name: pods
  nodepools:
  - name: general
    spec:
      mode: User
  providerOverrides:
    dnsPrefix: theirs
`, "1 cluster: 1 adopted without a change, 0 with one\n", "--class", "classes/same")

	f.class("other", `
azure: {tags: {cost: low}}
network: {addresses: [{name: vnet, poolRef: {name: corp}}]}
nodepoolDefaults: {labels: {extra: x}, drain: {waitFor: Eviction}}
nodepools: [{name: batch, spec: {mode: User, machineType: D4}}]
additionalConfig: {autoscaler: {expander: random}}
addons: [{name: agent, kind: ClusterResourceSet}]
providerOverrides: {disableLocalAccounts: true}
`)
	f.expect(3, "-", `
classes/c would be changed: range vnet would be carved from a pool, and the cluster's own is not known: take a class without network.addresses[vnet], or give its cidr
classes/c would be changed: AzureASOManagedCluster classes/c: spec.resources[ResourceGroup].spec.tags.cost from nothing to "low"
classes/c would be changed: AzureASOManagedControlPlane classes/c-plane: spec.resources[ManagedCluster].spec.disableLocalAccounts from nothing to true
classes/c would be changed: AzureASOManagedControlPlane classes/c-plane: spec.resources[ManagedCluster].spec.tags.cost from nothing to "low"
classes/c would be changed: Nodepool c-batch of the class would be made, with nodes of its own
classes/c would be changed: Nodepool c-general would get other drain, labels
classes/c would be changed: Nodepool c-system would get other drain, labels
classes/c would be changed: AzureClusterAdditionalConfig c would get other autoscaler
classes/c would be changed: add-on agent: the Cluster would get label addons.fleetwright.io/agent
1 cluster: 0 adopted without a change, 1 with one
`, "c", "--class", "other")
	f.cluster("aso", "gateway", true, "outboundType: loadBalancer", "outboundType: userAssignedNATGateway")
	f.class("balancer", "network: {outbound: LoadBalancer}")
	f.expect(3, "-", `
classes/gateway stays as it is: outboundType is userAssignedNATGateway
classes/gateway would be changed: AzureASOManagedControlPlane classes/gateway-plane: spec.resources[ManagedCluster].spec.networkProfile.outboundType from "userAssignedNATGateway" to "loadBalancer", which nobody can change
1 cluster: 0 adopted without a change, 1 with one; 1 with something that a WorkloadCluster cannot say
`, "gateway", "--class", "balancer")
	f.cluster("managed", "plain", false, "stage: production", "stage: production, addons.fleetwright.io/agent: enabled")
	f.class("labels", `
nodepoolDefaults: {labels: {extra: x}}
addons: [{name: agent, kind: ClusterResourceSet}, {name: ingress, kind: ClusterResourceSet}]
`)
	f.expect(3, "-", `
classes/plain would be changed: pool general: labels example.com/team=a -> example.com/team=a,extra=x
classes/plain would be changed: pool system: labels example.com/team=a -> example.com/team=a,extra=x
classes/plain would be changed: add-on ingress: the Cluster would get label addons.fleetwright.io/ingress
1 cluster: 0 adopted without a change, 1 with one
`, "plain", "--class", "labels")
	f.expect(1, "", "error: there is no WorkloadClusterClass classes/none: `kubectl get workloadclusterclasses -A` lists all there are\n", "--class", "none")
	f.expect(1, "", "error: --class none does not say which namespace: write NAMESPACE/none\n", "-A", "--class", "none")
}

// A range that the class carves from a pool is taken out of that pool as it is, and pools that are in the cluster's own subnet need not say so.
func TestOfAClassWithAddresses(t *testing.T) {
	f := newFleet(t, "addresses")
	f.cluster("managed", "m", false, "networkPluginMode: overlay", "")
	f.class("pools", "network: {mode: CNI, addresses: [{name: vnet, poolRef: {name: corp}}, {name: services, poolRef: {name: inner, namespace: net}, prefixLength: 20}]}")
	// Of nodes with addresses for 30 pods each, the subnet holds 131.
	code, out, errOut := f.run("adopt", "m", "--class", "pools", "-o", "json")
	const capped = "addresses/m would be changed: Cluster addresses/m: metadata.annotations.fleetwright.io/node-cap from nothing to \"131\"\n"
	if code != 3 || errOut != capped+"1 cluster: 0 adopted without a change, 1 with one\n" {
		t.Errorf("exit code %d, %s", code, errOut)
	}
	var list struct {
		Items []struct {
			Spec fleetwrightv1.WorkloadClusterSpec
		}
	}
	if err := yaml.Unmarshal([]byte(out), &list); err != nil || len(list.Items) != 1 {
		t.Fatalf("%v in:\n%s", err, out)
	}
	want := []fleetwrightv1.WorkloadClusterRange{
		{Name: "nodes", CIDR: "10.1.0.0/20"},
		{Name: "services", CIDR: "192.168.0.0/16", PoolRef: fleetwrightv1.NamespacedReference{Namespace: "net", Name: "inner"}},
		{Name: "vnet", CIDR: "10.1.0.0/16", PoolRef: fleetwrightv1.NamespacedReference{Namespace: "addresses", Name: "corp"}},
	}
	if diff := cmp.Diff(want, list.Items[0].Spec.Network.Addresses); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(fleetwrightv1.NamespacedReference{Name: "fleet"}, list.Items[0].Spec.Azure.ClusterIdentity); diff != "" {
		t.Error(diff)
	}
}

// What cannot be adopted, and what stays as it is, is told, and the others go on.
func TestWhatCannotBe(t *testing.T) {
	f := newFleet(t, "prod-eu") // that of the file below
	long := "a-cluster-with-a-name-of-38-characters"
	f.cluster("aso", long, false)
	f.cluster("aso", "behind", false, "ANNOTATION", "fleetwright.io/node-cap: '300'")
	f.cluster("managed", "taken", false)
	np := &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "foreign"}, Spec: fleetwrightv1.NodepoolSpec{ClusterName: "taken", MachineType: "D4"}}
	f.create(np)
	general := np.DeepCopy()
	general.ObjectMeta = metav1.ObjectMeta{Namespace: f.namespace, Name: "taken-general"}
	f.create(general)
	config := &fleetwrightv1.AzureClusterAdditionalConfig{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "taken"}}
	config.Spec.ClusterName, config.Spec.Autoscaler.Expander, config.Spec.DriftPolicy = "taken", "random", "Report"
	f.create(config)
	topology := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": map[string]any{"name": "topology", "namespace": f.namespace},
		"spec": map[string]any{
			"topology":          map[string]any{"classRef": map[string]any{"name": "quick"}, "version": "v1.33.6"},
			"controlPlaneRef":   map[string]any{"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "AzureASOManagedControlPlane", "name": "behind-plane"},
			"infrastructureRef": map[string]any{"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "AzureASOManagedCluster", "name": "behind"},
		},
	}}
	f.create(topology)
	old, err := os.ReadFile(filepath.Join("..", "..", "capi", "testdata", "wish", "aso-old.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range f.objects(string(old)) {
		f.create(o)
	}
	before := f.everything()
	code, out, errOut := f.run("adopt")
	if code != 3 {
		t.Errorf("exit code %d", code)
	}
	for _, line := range []string{
		"prod-eu/" + long + " cannot be adopted: a WorkloadCluster's name has at most 36 letters, digits and dashes, and begins with a letter\n",
		"prod-eu/topology cannot be adopted: its ClusterClass quick has the word on its objects\n",
		"prod-eu/taken stays as it is: Nodepool foreign keeps working by itself: those of a WorkloadCluster are called taken- and letters and digits\n",
		"prod-eu/old stays as it is: networkPlugin is kubenet\n",
		"prod-eu/old would be changed: InvalidSpec: nodepools are set neither here nor in the class: a cluster needs one with mode System\n",
		"\n5 clusters: 2 adopted without a change, 1 with one; 2 cannot be adopted; 2 with something that a WorkloadCluster cannot say\n",
	} {
		if !strings.Contains("\n"+errOut, line) {
			t.Errorf("missing %q in:\n%s", line, errOut)
		}
	}
	for _, text := range []string{
		"# stays as it is: networkPlugin is kubenet\n",
		"    maxNodes: 300\n",
		// A pool of a name that a Nodepool has is called otherwise; what people have configured stays.
		"  - name: general\n    spec:\n      machineType: D4\n", "  - machinePools:\n    - taken-general\n    name: generalx\n", "      expander: random\n", "    driftPolicy: Report\n",
	} {
		if !strings.Contains(out, text) {
			t.Errorf("missing %q in:\n%s", text, out)
		}
	}
	if diff := cmp.Diff(before, f.everything()); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
	f.expect(1, "", "error: there is no Cluster none in namespace prod-eu: `kubectl get clusters -A` lists all there are\n", "none")
	f.expect(1, "", "error: clusters are named within one namespace: leave out --all-namespaces\n", "behind", "-A")
	f.expect(1, "", "error: --output \"xml\" is none of yaml, json\n", "-o", "xml")
	if _, out, _ := f.run("__complete", "adopt", "taken", ""); !strings.Contains(out, "behind\n") || strings.Contains(out, "taken\n") {
		t.Errorf("completed by %s", out)
	}
}

// Who may only read is not asked to create anything.
func TestAReader(t *testing.T) {
	f := newFleet(t, "reading")
	f.cluster("aso", "c", true)
	f.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "reader"}})
	f.create(&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "adopt"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"fleetwright.io"}, Resources: []string{"nodepools", "azureclusteradditionalconfigs", "workloadclusters"}, Verbs: []string{"list"}},
		{APIGroups: []string{"cluster.x-k8s.io"}, Resources: []string{"clusters", "machinepools"}, Verbs: []string{"get", "list"}},
		{APIGroups: []string{"infrastructure.cluster.x-k8s.io"}, Resources: []string{
			"azuremanagedclusters", "azuremanagedcontrolplanes", "azuremanagedmachinepools", "azureasomanagedclusters", "azureasomanagedcontrolplanes", "azureasomanagedmachinepools",
		}, Verbs: []string{"get", "list"}},
		{APIGroups: []string{"containerservice.azure.com"}, Resources: []string{"managedclusters", "managedclustersagentpools"}, Verbs: []string{"get"}},
	}})
	f.create(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "adopt"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: f.namespace, Name: "reader"}},
	})
	f.expect(0, "-", "1 cluster: 1 adopted without a change, 0 with one; "+
		"1 not asked whether class and tenant allow the namespace, since you may not read namespaces; 1 not tried out, since you may not create WorkloadClusters\n",
		"--as", "system:serviceaccount:reading:reader")
}
