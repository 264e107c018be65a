package v1alpha1_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// workloadCluster is an object as users write it; spec in YAML.
func workloadCluster(t *testing.T, kind, name, spec string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "fleetwright.io/v1alpha1", "kind": kind, "metadata": map[string]any{"name": name, "namespace": "default"},
	}}
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatalf("the test's YAML: %v\n%s", err, spec)
	}
	object.Object["spec"] = fields
	return object
}

const (
	// least is a cluster without a class; classed is one that leaves all to its class.
	least       = "version: v1.34.2\nazure: {location: westeurope}\nnodepools: [{name: system, spec: {mode: System, machineType: Standard_D4ds_v5}}]\n"
	classed     = "classRef: {name: prod-eu-v7, namespace: platform}\n"
	guid        = "00000000-0000-0000-0000-000000000001"
	wholeConfig = `registries: [{name: shared, id: /subscriptions/` + guid + `/resourceGroups/acr/providers/Microsoft.ContainerRegistry/registries/shared1, pullCheck: {image: pause:3.10}}]
  roleAssignments: [{name: dns, scope: /subscriptions/` + guid + `, role: {name: Reader}, principal: {clusterIdentity: ControlPlane}}]
  autoscaler: {expander: least-waste}
  maintenanceConfigurations: [{type: default, window: {schedule: {weekly: {intervalWeeks: 1, dayOfWeek: Sunday}}, startTime: "01:00", durationHours: 4}}]
  driftPolicy: Heal`
	wholeTemplate = `version: v1.34.2
flavor: AzureASOManaged
azure: {subscriptionID: ` + guid + `, location: westeurope, resourceGroupPolicy: Delete, tier: Standard, tags: {cost-center: "4711"}, clusterIdentity: {name: fleet, namespace: platform}, credentialSecret: aso-credential}
network:
  mode: CNIPodSubnet
  dataplane: Cilium
  outbound: NATGateway
  addresses: [{name: vnet, poolRef: {name: corp-eu, namespace: platform}, prefixLength: 18}, {name: nodes, prefixLength: 22}, {name: pods}, {name: services, cidr: 100.96.0.0/16}]
limits: {maxNodes: 950}
nodepoolDefaults: {os: {sku: AzureLinux}, zones: ["1", "2", "3"]}
nodepools: [{name: system, spec: {mode: System, machineType: Standard_D4ds_v5, scaling: {min: 2, max: 5}}}, {name: general, spec: {machineType: Standard_D16ds_v5}}]
additionalConfig:
  ` + wholeConfig + `
addons:
- {name: cni, kind: ClusterResourceSet, object: cilium, clusterLabels: {cni: cilium}, kubernetesVersions: ">=1.32.0 <1.36.0", health: [{apiVersion: apps/v1, kind: DaemonSet, namespace: kube-system, name: cilium}]}
- {name: monitoring, kind: HelmChartProxy, after: [cni]}
- {name: apps, kind: Application, namespace: argocd, after: [cni, monitoring]}
maintenance: {windows: [{name: nights, schedule: "0 22 * * 1-4", durationSeconds: 28800, timeZone: Europe/Berlin}]}
providerOverrides: {apiServerAccessProfile: {authorizedIPRanges: [10.0.0.0/8]}}
`
)

// changed is least with one part written in another way.
func changed(old, as string) string { return strings.Replace(least, old, as, 1) }

func TestWorkloadClusterAdmission(t *testing.T) {
	const (
		nameRule  = "<nil>: name must be at most 36 characters, start with a letter and have no dots: the pools underneath append 27"
		needs     = "spec: without a class, version, azure.location and nodepools are needed"
		noSystem  = "spec: a cluster needs a pool of mode System"
		noMachine = "spec: each pool needs a machineType, in its spec or in nodepoolDefaults"
		managed   = "spec: flavor AzureManaged needs azure.subscriptionID and azure.clusterIdentity"
		noVNet    = "spec: nodes lie within vnet: name vnet in network.addresses as well"
		reserved  = "labels under fleetwright.io/, addons.fleetwright.io/ and cluster.x-k8s.io/ are reserved"
	)
	body := func(path, sentence string) []string {
		return []string{path + ": " + path + " in body " + sentence}
	}
	network := func(ranges string) string { return least + "network: {addresses: " + ranges + "}" }
	addon := func(more string) string { return least + "addons: [{name: a, kind: ClusterResourceSet, " + more + "}]" }
	pools := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("{name: p%d}", i))
		}
		return classed + "nodepools: [" + strings.Join(list, ", ") + "]"
	}
	for name, test := range map[string]struct {
		name string // of the object; empty: c1
		spec string
		want []string // field: sentence; empty: accepted
	}{
		"the least":                   {spec: least},
		"only a class":                {spec: classed},
		"everything":                  {spec: strings.Replace(wholeTemplate, "location: westeurope", "location: westeurope, resourceGroup: rg", 1) + "adoption: {policy: Adopt}\nreconcile: NonDisruptive\ndeletionPolicy: Protect"},
		"nothing":                     {spec: "{}", want: []string{"spec: spec in body should have at least 1 properties", `<nil>: "spec" must validate all the schemas (allOf). None validated`, needs}},
		"no version":                  {spec: changed("version: v1.34.2", "flavor: AzureASOManaged"), want: []string{needs}},
		"no location":                 {spec: changed("location: westeurope", "tier: Free"), want: []string{needs}},
		"no pools":                    {spec: "version: v1.34.2\nazure: {location: westeurope}", want: []string{needs}},
		"no System pool":              {spec: changed("mode: System", "mode: User"), want: []string{noSystem}},
		"no mode":                     {spec: changed("mode: System, ", ""), want: []string{noSystem}},
		"no spec":                     {spec: changed(", spec: {mode: System, machineType: Standard_D4ds_v5}", ""), want: []string{noSystem, noMachine}},
		"System by default":           {spec: changed("mode: System, ", "") + "nodepoolDefaults: {mode: System}"},
		"System by class, for all":    {spec: classed + "nodepools: [{name: general, spec: {mode: User}}]"},
		"no machine":                  {spec: changed(", machineType: Standard_D4ds_v5", ""), want: []string{noMachine}},
		"no machine of one":           {spec: changed("}}]", "}}, {name: general, spec: {maxPods: 30}}]"), want: []string{noMachine}},
		"machine by default":          {spec: changed(", machineType: Standard_D4ds_v5", "") + "nodepoolDefaults: {machineType: Standard_D4ds_v5}"},
		"machine by class, for all":   {spec: classed + "nodepools: [{name: general}]"},
		"managed":                     {spec: changed("{location", "{subscriptionID: "+guid+", clusterIdentity: {name: fleet}, location") + "flavor: AzureManaged"},
		"managed, by class":           {spec: classed + "flavor: AzureManaged"},
		"managed without identity":    {spec: changed("{location", "{subscriptionID: "+guid+", location") + "flavor: AzureManaged", want: []string{managed}},
		"managed by no subscription":  {spec: changed("{location", "{clusterIdentity: {name: fleet}, location") + "flavor: AzureManaged", want: []string{managed}},
		"managed with a pod subnet":   {spec: classed + "flavor: AzureManaged\nnetwork: {mode: CNIPodSubnet}", want: []string{"spec: network.mode CNIPodSubnet needs flavor AzureASOManaged"}},
		"managed with an overlay":     {spec: classed + "flavor: AzureManaged\nnetwork: {mode: Overlay}"},
		"a pod subnet":                {spec: classed + "flavor: AzureASOManaged\nnetwork: {mode: CNIPodSubnet}"},
		"another flavor":              {spec: least + "flavor: Self", want: []string{`spec.flavor: Unsupported value: "Self": supported values: "AzureASOManaged", "AzureManaged"`}},
		"version without patch":       {spec: changed("v1.34.2", "v1.34"), want: body("spec.version", `should match '^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$'`)},
		"no subscription":             {spec: changed("{location", "{subscriptionID: "+guid[1:]+"g, location"), want: body("spec.azure.subscriptionID", "should match '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'")},
		"a region's display name":     {spec: changed("westeurope", "West Europe"), want: body("spec.azure.location", "should match '^[a-z0-9]+$'")},
		"longest group":               {spec: changed("{location", "{resourceGroup: "+strings.Repeat("g", 90)+", location")},
		"a group that ends in a dot":  {spec: changed("{location", "{resourceGroup: rg., location"), want: body("spec.azure.resourceGroup", `should match '^[A-Za-z0-9_()-]([A-Za-z0-9_().-]*[A-Za-z0-9_()-])?$'`)},
		"a tag of ours":               {spec: changed("{location", "{tags: {fleetwright-owner: me}, location"), want: []string{"spec.azure.tags: tags under fleetwright- are reserved"}},
		"a tag that is too long":      {spec: changed("{location", "{tags: {k: "+strings.Repeat("v", 257)+"}, location"), want: []string{"spec.azure.tags: a tag's name must be 1 to 256 characters and its value at most 256"}},
		"most nodes":                  {spec: least + "limits: {maxNodes: 5000}"},
		"too many nodes":              {spec: least + "limits: {maxNodes: 5001}", want: body("spec.limits.maxNodes", "should be less than or equal to 5000")},
		"longest name":                {name: strings.Repeat("c", 36), spec: least},
		"name too long":               {name: strings.Repeat("c", 37), spec: least, want: []string{nameRule}},
		"name with a dot":             {name: "c.1", spec: least, want: []string{nameRule}},
		"name of a digit":             {name: "1c", spec: least, want: []string{nameRule}},
		"as many pools as there are":  {spec: pools(24)},
		"too many pools":              {spec: pools(25), want: []string{"spec.nodepools: Too many: 25: must have at most 24 items"}},
		"longest pool name":           {spec: classed + "nodepools: [{name: " + strings.Repeat("p", 20) + "}]"},
		"pool name too long":          {spec: classed + "nodepools: [{name: " + strings.Repeat("p", 21) + "}]", want: []string{"spec.nodepools[0].name: Too long: may not be more than 20 bytes"}},
		"pool name with a dash":       {spec: classed + "nodepools: [{name: a-b}]", want: body("spec.nodepools[0].name", "should match '^[a-z][a-z0-9]*$'")},
		"a pool twice":                {spec: classed + "nodepools: [{name: a}, {name: a}]", want: []string{`spec.nodepools[1]: Duplicate value: {"name":"a"}`}},
		"an empty pool":               {spec: classed + "nodepools: [{name: a, spec: {}}]", want: []string{"spec.nodepools[0].spec: spec.nodepools[0].spec in body should have at least 1 properties"}},
		"pools that are adopted":      {spec: classed + "nodepools: [{name: a, machinePools: [np1, np2]}]"},
		"too many that are adopted":   {spec: classed + "nodepools: [{name: a, machinePools: [np1, np2, np3]}]", want: []string{"spec.nodepools[0].machinePools: Too many: 3: must have at most 2 items"}},
		"an overlay of its own":       {spec: network("[{name: pods, cidr: 10.0.0.0/12}]")},
		"a vnet as large as needed":   {spec: network("[{name: vnet, poolRef: {name: p}}, {name: nodes}, {name: pods}, {name: services, poolRef: {name: p}, prefixLength: 20}]")},
		"a vnet of nowhere":           {spec: network("[{name: vnet, prefixLength: 20}]"), want: []string{"spec.network.addresses[0]: give poolRef or cidr"}},
		"two sizes":                   {spec: network("[{name: vnet, poolRef: {name: p}, prefixLength: 20, cidr: 10.0.0.0/20}]"), want: []string{"spec.network.addresses[0]: give cidr or prefixLength, not both"}},
		"nodes of a pool":             {spec: network("[{name: vnet, poolRef: {name: p}}, {name: nodes, poolRef: {name: p}}]"), want: []string{"spec.network.addresses[1]: nodes lie within vnet and come from no pool of their own"}},
		"nodes without vnet":          {spec: network("[{name: nodes, prefixLength: 24}]"), want: []string{noVNet}},
		"nodes in the class's vnet":   {spec: classed + "network: {addresses: [{name: nodes, prefixLength: 24}]}"},
		"services of any size":        {spec: network("[{name: services, poolRef: {name: p}}]"), want: []string{"spec.network.addresses[0]: services need prefixLength or cidr: nothing else says how many there will be"}},
		"services of nowhere":         {spec: network("[{name: services, prefixLength: 20}]"), want: []string{"spec.network.addresses[0]: give poolRef or cidr"}},
		"host bits":                   {spec: network("[{name: vnet, cidr: 10.0.0.1/20}]"), want: []string{"spec.network.addresses[0].cidr: cidr must be a range without host bits, such as 10.64.0.0/20"}},
		"a range of one's own name":   {spec: network("[{name: dmz, cidr: 10.0.0.0/20}]"), want: []string{`spec.network.addresses[0].name: Unsupported value: "dmz": supported values: "vnet", "nodes", "pods", "services"`}},
		"a range twice":               {spec: network("[{name: vnet, cidr: 10.0.0.0/20}, {name: vnet, cidr: 10.1.0.0/20}]"), want: []string{`spec.network.addresses[1]: Duplicate value: {"name":"vnet"}`}},
		"our role":                    {spec: least + "additionalConfig: {roleAssignments: [{name: network, scope: /subscriptions/" + guid + ", role: {name: Reader}, principal: {clusterIdentity: ControlPlane}}]}", want: []string{"spec.additionalConfig.roleAssignments: network is the role assignment that Fleetwright makes by itself for the cluster's own network: choose another name"}},
		"an add-on's namespace":       {spec: least + "addons: [{name: a, kind: Kustomization, namespace: flux-system}]"},
		"namespace of what selects":   {spec: addon("namespace: x"), want: []string{"spec.addons[0]: a ClusterResourceSet or HelmChartProxy selects Clusters of its own namespace only: leave namespace out"}},
		"and of the other":            {spec: least + "addons: [{name: a, kind: HelmChartProxy, namespace: x}]", want: []string{"spec.addons[0]: a ClusterResourceSet or HelmChartProxy selects Clusters of its own namespace only: leave namespace out"}},
		"an add-on's labels":          {spec: addon("clusterLabels: {cni: cilium, example.com/fleetwright.io: x}")},
		"an add-on with our label":    {spec: addon("clusterLabels: {fleetwright.io/tenant: x}"), want: []string{"spec.addons[0].clusterLabels: " + reserved}},
		"with the turn of another":    {spec: addon("clusterLabels: {addons.fleetwright.io/b: enabled}"), want: []string{"spec.addons[0].clusterLabels: " + reserved}},
		"with Cluster API's":          {spec: addon("clusterLabels: {cluster.x-k8s.io/cluster-name: x}"), want: []string{"spec.addons[0].clusterLabels: " + reserved}},
		"an add-on of no kind":        {spec: least + "addons: [{name: a, kind: Chart}]", want: []string{`spec.addons[0].kind: Unsupported value: "Chart": supported values: "ClusterResourceSet", "HelmChartProxy", "HelmRelease", "Kustomization", "Application"`}},
		"versions in words":           {spec: addon("kubernetesVersions: 'all, really'"), want: body("spec.addons[0].kubernetesVersions", `should match '^[0-9A-Za-z.<>=!| -]+$'`)},
		"health of a lower-case kind": {spec: addon("health: [{apiVersion: apps/v1, kind: daemonset, name: a}]"), want: body("spec.addons[0].health[0].kind", "should match '^[A-Z][A-Za-z0-9]*$'")},
		"a tenant's":                  {name: "shop-eu-1", spec: least + "tenancy: {mode: Single, tenant: shop}"},
		"named as the tenant":         {name: "shop", spec: least + "tenancy: {tenant: shop}"},
		"named as nearly the tenant":  {name: "shopping", spec: least + "tenancy: {tenant: shop}", want: []string{"<nil>: the name of a tenant's cluster begins with the tenant's and a dash"}},
		"Shared with a tenant":        {name: "shop-1", spec: least + "tenancy: {mode: Shared, tenant: shop}", want: []string{"spec.tenancy: a Shared cluster has no tenant"}},
		"overrides are no text":       {spec: least + "providerOverrides: static", want: []string{`spec.providerOverrides: spec.providerOverrides in body must be of type object: "string"`}},
		"another adoption":            {spec: least + "adoption: {policy: Import}", want: []string{`spec.adoption.policy: Unsupported value: "Import": supported values: "Report", "Adopt"`}},

		"default: spot and System":  {spec: classed + "nodepoolDefaults: {mode: System, type: Spot}", want: []string{"spec.nodepoolDefaults: a System pool cannot be Spot: AKS runs system pods on Regular nodes only"}},
		"pool: spot and System":     {spec: classed + "nodepools: [{name: a, spec: {mode: System, type: Spot}}]", want: []string{"spec.nodepools[0].spec: a System pool cannot be Spot: AKS runs system pods on Regular nodes only"}},
		"pool: Windows and System":  {spec: classed + "nodepools: [{name: a, spec: {mode: System, os: {type: Windows}}}]", want: []string{"spec.nodepools[0].spec: a System pool must run Linux"}},
		"pool: replicas or scaling": {spec: classed + "nodepools: [{name: a, spec: {replicas: 3, scaling: {min: 1, max: 3}}}]", want: []string{"spec.nodepools[0].spec: set either replicas or scaling, not both"}},
		"pool: System of none":      {spec: classed + "nodepools: [{name: a, spec: {mode: System, replicas: 0}}]", want: []string{"spec.nodepools[0].spec: a System pool needs at least 1 node"}},
		"pool: System from none":    {spec: classed + "nodepools: [{name: a, spec: {mode: System, scaling: {min: 0, max: 3}}}]", want: []string{"spec.nodepools[0].spec: a System pool needs at least 1 node"}},
		"pool: an AKS label":        {spec: classed + "nodepools: [{name: a, spec: {labels: {kubernetes.azure.com/mode: system}}}]", want: []string{"spec.nodepools[0].spec.labels: labels under kubernetes.azure.com/ and fleetwright.io/ are reserved"}},
		"pool: a tag of ours":       {spec: classed + "nodepools: [{name: a, spec: {tags: {fleetwright-owner: me}}}]", want: []string{"spec.nodepools[0].spec.tags: tags under fleetwright- are reserved"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.name == "" {
				test.name = "c1"
			}
			err := server.Create(t.Context(), workloadCluster(t, "WorkloadCluster", test.name, test.spec), client.DryRunAll)
			if diff := cmp.Diff(test.want, refusals(t, err)); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}

// A large cluster that is allowed must also be admitted: the API server counts what the rules cost.
func TestTheLargestWorkloadClusterIsAdmitted(t *testing.T) {
	var rules, labels, pods, list []string
	for i := range 2 {
		labels = append(labels, fmt.Sprintf("example.com/label-%d: value-%d", i, i))
	}
	for range 8 {
		pods = append(pods, "{selector: {matchLabels: {"+strings.Join(labels, ", ")+"}, matchExpressions: [{key: tier, operator: In, values: [a, b, c]}]}, namespaceSelector: {matchLabels: {"+strings.Join(labels, ", ")+"}}}")
	}
	for i := range 16 {
		rules = append(rules, fmt.Sprintf("{name: rule-%d, behavior: Drain, order: %d, deadline: {action: Quarantine, afterSeconds: 3600}, pods: [%s]}", i, i, strings.Join(pods, ", ")))
	}
	drain := "drain: {rules: [" + strings.Join(rules, ", ") + "], ladder: [{action: Notify, afterSeconds: 600}, {action: RestartSingleton, afterSeconds: 1200}], deadline: {action: Force, afterSeconds: 7200}}"
	for i := range 24 {
		list = append(list, fmt.Sprintf("{name: pool%d, spec: {mode: System, machineType: Standard_D4ds_v5, labels: {%s}, %s}}", i, strings.Join(labels, ", "), drain))
	}
	spec := "version: v1.34.2\nazure: {location: westeurope}\nnodepoolDefaults: {" + drain + "}\nnodepools: [" + strings.Join(list, ", ") + "]"
	object := workloadCluster(t, "WorkloadCluster", "largest", spec)
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatalf("%.600v", err)
	}
	set(t, object, "v1.35.0", "spec", "version")
	if err := server.Update(t.Context(), object); err != nil {
		t.Errorf("a change: %.600v", err)
	}
}

// What a cluster cannot change in Azure cannot be changed in the spec, nor taken out to be set anew; all else can.
func TestAWorkloadClusterStaysWhatItIs(t *testing.T) {
	const (
		flavor    = "spec: flavor cannot change after it is set: make another WorkloadCluster"
		where     = "spec: azure.subscriptionID, location and resourceGroup cannot change after they are set: make another WorkloadCluster"
		connected = "spec: network.mode, dataplane and outbound cannot change after they are set: make another WorkloadCluster"
		addresses = "<nil>: a range of network.addresses cannot change or be taken out: make another WorkloadCluster"
		whose     = "spec: tenancy cannot change after it is set: make another WorkloadCluster"
		adopted   = "spec.adoption: an adoption that was carried out cannot be taken back: delete the WorkloadCluster with deletionPolicy Retain"
	)
	vnet := "{name: vnet, poolRef: {name: p}, prefixLength: 20}"
	for name, test := range map[string]struct {
		before, after string // besides the class
		want          []string
	}{
		"flavor":                 {"flavor: AzureManaged", "flavor: AzureASOManaged", []string{flavor}},
		"flavor out":             {"flavor: AzureManaged", "{}", []string{flavor}},
		"flavor in":              {"{}", "flavor: AzureManaged", nil},
		"subscription":           {"azure: {subscriptionID: " + guid + "}", "azure: {subscriptionID: " + strings.Replace(guid, "1", "2", 1) + "}", []string{where}},
		"location":               {"azure: {location: westeurope}", "azure: {location: northeurope}", []string{where}},
		"location out":           {"azure: {location: westeurope, tier: Free}", "azure: {tier: Free}", []string{where}},
		"azure out":              {"azure: {location: westeurope}", "{}", []string{where}},
		"group":                  {"azure: {resourceGroup: a}", "azure: {resourceGroup: b}", []string{where}},
		"group in":               {"azure: {location: westeurope}", "azure: {location: westeurope, resourceGroup: b}", nil},
		"tier":                   {"azure: {tier: Free}", "azure: {tier: Standard}", nil},
		"identity":               {"azure: {clusterIdentity: {name: a}}", "azure: {clusterIdentity: {name: b}}", nil},
		"mode":                   {"network: {mode: CNI}", "network: {mode: Overlay}", []string{connected}},
		"mode out":               {"network: {mode: CNI, dataplane: Azure}", "network: {dataplane: Azure}", []string{connected}},
		"network out":            {"network: {outbound: NATGateway}", "{}", []string{connected}},
		"outbound":               {"network: {outbound: NATGateway}", "network: {outbound: LoadBalancer}", []string{connected}},
		"dataplane":              {"network: {dataplane: Azure}", "network: {dataplane: Cilium}", []string{connected}},
		"dataplane in":           {"network: {mode: CNI}", "network: {mode: CNI, dataplane: Cilium}", nil},
		"dataplane out":          {"network: {mode: CNI, dataplane: Azure}", "network: {mode: CNI}", []string{connected}},
		"a range":                {"network: {addresses: [" + vnet + "]}", "network: {addresses: [" + strings.Replace(vnet, "20", "19", 1) + "]}", []string{addresses}},
		"a range out":            {"network: {addresses: [" + vnet + ", {name: nodes}]}", "network: {addresses: [" + vnet + "]}", []string{addresses}},
		"ranges out":             {"network: {dataplane: Azure, addresses: [" + vnet + "]}", "network: {dataplane: Azure}", []string{addresses}},
		"network out, ranges":    {"network: {addresses: [" + vnet + "]}", "{}", []string{addresses}},
		"a range in":             {"network: {addresses: [" + vnet + "]}", "network: {addresses: [{name: nodes}, " + vnet + "]}", nil},
		"tenant":                 {"tenancy: {tenant: stays}", "tenancy: {tenant: stays-as}", []string{whose}},
		"tenancy out":            {"tenancy: {tenant: stays}", "{}", []string{whose}},
		"tenancy mode":           {"tenancy: {mode: Shared}", "tenancy: {mode: Single}", []string{whose}},
		"adoption carried out":   {"adoption: {policy: Report}", "adoption: {policy: Adopt}", nil},
		"adoption taken back":    {"adoption: {policy: Adopt}", "adoption: {policy: Report}", []string{adopted}},
		"adoption forgotten":     {"adoption: {policy: Adopt}", "{}", nil},
		"version":                {"version: v1.34.2", "version: v1.33.5", nil},
		"a pool out":             {"nodepools: [{name: a}, {name: b}]", "nodepools: [{name: b}]", nil},
		"what is made of it":     {"deletionPolicy: Protect", "deletionPolicy: Retain\nreconcile: Paused", nil},
		"the addresses' maximum": {"limits: {maxNodes: 10}", "limits: {maxNodes: 1000}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			object := workloadCluster(t, "WorkloadCluster", "stays-as-it-is", classed+strings.Replace(test.before, "{}", "", 1))
			object.SetName("stays-as-" + strings.ToLower(strings.NewReplacer(" ", "", "'", "", ",", "").Replace(name)))
			if err := server.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			object.Object["spec"] = workloadCluster(t, "WorkloadCluster", "x", classed+strings.Replace(test.after, "{}", "", 1)).Object["spec"]
			if diff := cmp.Diff(test.want, refusals(t, server.Update(t.Context(), object))); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}

// A cluster that is there gets no ranges besides those that it was made with, and can always be rid of one that it has not got. Without one there,
// as when it is stalled, ranges are added.
func TestRangesOfAClusterThatIsThere(t *testing.T) {
	const (
		grown = "<nil>: a cluster gets no other ranges in network.addresses once its AddressClaim or the cluster itself is there: make another WorkloadCluster"
		gone  = "<nil>: a range of network.addresses cannot change or be taken out: make another WorkloadCluster"
		bound = "{name: vnet, cidr: 10.0.0.0/20}, {name: pods, cidr: 100.64.0.0/13}"
	)
	for i, test := range []struct{ infrastructure, status, before, after, refused string }{
		{"Creating", "", "", "vnet", ""},
		{"WaitingForAddresses", "", "services", "vnet, services", grown}, // the claim is made once
		{"Provisioning", "", "", "vnet", grown},
		{"Ready", bound, "vnet", "vnet, services", grown},
		{"Ready", "", "vnet", "", ""}, // it was let in while its status was wiped
		{"Ready", bound, "vnet", "", gone},
		{"Ready", bound, "", "vnet", ""}, // it was the class's
		{"Ready", bound, "vnet", "vnet, pods", ""},
		{"Ready", bound, "vnet", "vnet, other-pods", grown},
	} {
		ranges := func(names string) map[string]any {
			text := classed
			if names != "" {
				known := map[string]string{
					"vnet": "{name: vnet, poolRef: {name: p}, prefixLength: 20}", "services": "{name: services, cidr: 10.1.0.0/16}",
					"pods": "{name: pods, cidr: 100.64.0.0/13}", "other-pods": "{name: pods, cidr: 100.64.0.0/12}",
				}
				var all []string
				for name := range strings.SplitSeq(names, ", ") {
					all = append(all, known[name])
				}
				text += "network: {addresses: [" + strings.Join(all, ", ") + "]}"
			}
			return workloadCluster(t, "WorkloadCluster", "x", text).Object["spec"].(map[string]any)
		}
		for _, policy := range []string{"", "Report"} {
			object := workloadCluster(t, "WorkloadCluster", fmt.Sprint("ranges", strings.ToLower(policy), i), classed)
			spec := func(names string) {
				object.Object["spec"] = ranges(names)
				if policy != "" {
					set(t, object, policy, "spec", "adoption", "policy")
				}
			}
			spec(test.before)
			if err := server.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			status := map[string]any{}
			addresses := "NotDeclared"
			if test.infrastructure == "WaitingForAddresses" {
				addresses = "Exhausted"
			}
			const condition = "{type: %s, status: 'False', reason: %s, message: '', lastTransitionTime: '2026-11-26T12:00:00Z'}"
			text := "conditions: [" + fmt.Sprintf(condition, "InfrastructureReady", test.infrastructure) + ", " + fmt.Sprintf(condition, "AddressesReady", addresses) + "]\naddresses: [" + test.status + "]"
			if test.status == "" {
				text, _, _ = strings.Cut(text, "\n")
			}
			if err := yaml.Unmarshal([]byte(text), &status); err != nil {
				t.Fatal(err)
			}
			object.Object["status"] = status
			if err := server.Status().Update(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			spec(test.after)
			var want []string
			if test.refused != "" && policy == "" {
				want = []string{test.refused}
			}
			if diff := cmp.Diff(want, refusals(t, server.Update(t.Context(), object))); diff != "" {
				t.Errorf("%s, bound %q, from %q to %q, adoption %q (-want +got):\n%s", test.infrastructure, test.status, test.before, test.after, policy, diff)
			}
		}
	}
}

// To point to another class is a change like any other, and so is to do without one if the spec says all that is needed.
func TestAWorkloadClusterChangesItsClass(t *testing.T) {
	object := workloadCluster(t, "WorkloadCluster", "changes-class", classed+least)
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	set(t, object, "prod-eu-v8", "spec", "classRef", "name")
	if err := server.Update(t.Context(), object); err != nil {
		t.Errorf("another class: %v", err)
	}
	unstructured.RemoveNestedField(object.Object, "spec", "classRef")
	if err := server.Update(t.Context(), object); err != nil {
		t.Errorf("none: %v", err)
	}
	unstructured.RemoveNestedField(object.Object, "spec", "version")
	if diff := cmp.Diff([]string{"spec: without a class, version, azure.location and nodepools are needed"}, refusals(t, server.Update(t.Context(), object))); diff != "" {
		t.Error(diff)
	}
}
