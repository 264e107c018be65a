package desired

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
)

const subnet = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/nodes"

func controlPlane() *infrav1.AzureManagedControlPlane {
	plane := &infrav1.AzureManagedControlPlane{ObjectMeta: metav1.ObjectMeta{Name: "demo"}}
	plane.Spec.SubscriptionID = "sub"
	plane.Spec.ResourceGroupName = "rg"
	plane.Spec.NodeResourceGroupName = "MC_rg_demo_westeurope"
	plane.Spec.Location = "westeurope"
	plane.Spec.Version = "v1.34.1"
	plane.Spec.VirtualNetwork.ResourceGroup = "rg"
	plane.Spec.VirtualNetwork.Name = "net"
	plane.Spec.VirtualNetwork.Subnet.Name = "nodes"
	return plane
}

func pool(name string, mode infrav1.NodePoolMode, change func(*Pool)) Pool {
	p := Pool{MachinePool: &clusterv1.MachinePool{}, Infra: &infrav1.AzureManagedMachinePool{}}
	p.MachinePool.Spec.Replicas = ptr.To[int32](3)
	p.MachinePool.Spec.Template.Spec.Version = "v1.34.1"
	p.Infra.Spec.Name = &name
	p.Infra.Spec.Mode = string(mode)
	p.Infra.Spec.SKU = "Standard_D4s_v5"
	if change != nil {
		change(&p)
	}
	return p
}

// normal gives a value plain JSON types.
func normal(t *testing.T, value any) any {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(content, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestAgentPool(t *testing.T) {
	base := func(extra string) string {
		return `{"properties":{"count":3,"enableAutoScaling":false,"mode":"User","orchestratorVersion":"1.34.1","osDiskSizeGB":0,
			"type":"VirtualMachineScaleSets","vmSize":"Standard_D4s_v5","vnetSubnetID":"` + subnet + `"` + extra + `}}`
	}
	for name, test := range map[string]struct {
		change   func(*Pool)
		existing armclient.Body
		want     string
	}{
		"least": {want: base("")},
		"labels, taints and tags": {
			change: func(p *Pool) {
				p.Infra.Spec.NodeLabels = map[string]string{"a": "b"}
				p.Infra.Spec.Taints = infrav1.Taints{{Key: "k", Value: "v", Effect: infrav1.TaintEffect(corev1.TaintEffectNoSchedule)}}
				p.Infra.Spec.AdditionalTags = infrav1.Tags{"cost": "x"}
			},
			want: base(`,"nodeLabels":{"a":"b"},"nodeTaints":["k=v:NoSchedule"],"tags":{"cost":"x"}`),
		},
		"nothing left of labels, taints and tags": {
			existing: armclient.Body{"properties": map[string]any{"nodeLabels": map[string]any{"a": "b"}}},
			want:     base(`,"nodeLabels":{},"nodeTaints":[],"tags":{}`),
		},
		"autoscaling keeps the count that is there": {
			change: func(p *Pool) {
				p.Infra.Spec.Scaling = &infrav1.ManagedMachinePoolScaling{MinSize: ptr.To(1), MaxSize: ptr.To(9)}
			},
			existing: armclient.Body{"properties": map[string]any{"count": float64(7)}},
			want: strings.NewReplacer(`"count":3`, `"count":7`, `"enableAutoScaling":false`, `"enableAutoScaling":true`).
				Replace(base(`,"minCount":1,"maxCount":9,"nodeLabels":{},"nodeTaints":[],"tags":{}`)),
		},
		"a version that is there is not lowered": {
			existing: armclient.Body{"properties": map[string]any{"orchestratorVersion": "1.34.2"}},
			want:     strings.Replace(base(`,"nodeLabels":{},"nodeTaints":[],"tags":{}`), `"1.34.1"`, `"1.34.2"`, 1),
		},
		"patches reach fields that CAPZ does not have": {
			change: func(p *Pool) {
				p.Infra.Spec.ASOManagedClustersAgentPoolPatches = []string{
					`{"spec":{"osSKU":"AzureLinux","upgradeSettings":{"maxSurge":"33%"}}}`,
					"spec:\n  podSubnetReference:\n    armId: /subscriptions/sub/pods\n  osDiskSizeGB: null\n",
				}
			},
			want: strings.Replace(base(`,"osSKU":"AzureLinux","upgradeSettings":{"maxSurge":"33%"},"podSubnetID":"/subscriptions/sub/pods"`), `"osDiskSizeGB":0,`, "", 1),
		},
		"kernel settings in Azure's spelling": {
			change: func(p *Pool) {
				p.Infra.Spec.LinuxOSConfig = &infrav1.LinuxOSConfig{Sysctls: &infrav1.SysctlConfig{
					NetIpv4TCPTwReuse: ptr.To(true), NetIpv4IPLocalPortRange: ptr.To("1024 60999"), VMMaxMapCount: ptr.To(65530),
				}}
			},
			want: base(`,"linuxOSConfig":{"sysctls":{"netIpv4TcpTwReuse":true,"netIpv4IpLocalPortRange":"1024 60999","vmMaxMapCount":65530}}`),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := AgentPool(controlPlane(), pool("one", infrav1.NodePoolModeUser, test.change), test.existing)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(normal(t, json.RawMessage(test.want)), normal(t, got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestManagedCluster(t *testing.T) {
	plane := controlPlane()
	plane.Spec.NetworkPlugin = ptr.To("azure")
	plane.Spec.DNSPrefix = ptr.To("demo")
	plane.Spec.SKU = &infrav1.AKSSku{Tier: infrav1.FreeManagedControlPlaneTier}
	plane.Spec.AutoScalerProfile = &infrav1.AutoScalerProfile{ScanInterval: ptr.To("20s"), Expander: ptr.To(infrav1.Expander("least-waste"))}
	plane.Spec.ASOManagedClusterPatches = []string{`{"spec":{"autoScalerProfile":{"daemonsetEvictionForEmptyNodes":true},"supportPlan":"KubernetesOfficial"}}`}
	cluster := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Name: "demo"}}
	cluster.Spec.ClusterNetwork.Services.CIDRBlocks = []string{"192.168.0.0/16"}
	pools := []Pool{pool("user", infrav1.NodePoolModeUser, nil), pool("system", infrav1.NodePoolModeSystem, nil)}

	got, err := ManagedCluster(plane, cluster, pools, nil)
	if err != nil {
		t.Fatal(err)
	}
	profile := func(name, mode string) string {
		return `{"name":"` + name + `","mode":"` + mode + `","count":3,"enableAutoScaling":false,"orchestratorVersion":"1.34.1","osDiskSizeGB":0,
			"type":"VirtualMachineScaleSets","vmSize":"Standard_D4s_v5","vnetSubnetID":"` + subnet + `"}`
	}
	want := `{"location":"westeurope","identity":{"type":"SystemAssigned"},"sku":{"name":"Base","tier":"Free"},
		"tags":{"Name":"demo","sigs.k8s.io_cluster-api-provider-azure_cluster_demo":"owned","sigs.k8s.io_cluster-api-provider-azure_role":"common"},
		"properties":{"kubernetesVersion":"1.34.1","dnsPrefix":"demo","enableRBAC":true,"nodeResourceGroup":"MC_rg_demo_westeurope",
			"servicePrincipalProfile":{"clientId":"msi"},"supportPlan":"KubernetesOfficial",
			"networkProfile":{"networkPlugin":"azure","serviceCidr":"192.168.0.0/16","dnsServiceIP":"192.168.0.10"},
			"autoScalerProfile":{"scan-interval":"20s","expander":"least-waste","daemonset-eviction-for-empty-nodes":true},
			"agentPoolProfiles":[` + profile("system", "System") + `,` + profile("user", "User") + `]}}`
	if diff := cmp.Diff(normal(t, json.RawMessage(want)), normal(t, got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	existing := armclient.Body{"properties": map[string]any{
		"agentPoolProfiles": []any{map[string]any{"name": "system"}}, "currentKubernetesVersion": "1.34.2",
	}}
	got, err = ManagedCluster(plane, cluster, nil, existing)
	if err != nil {
		t.Fatal(err)
	}
	properties := got["properties"].(map[string]any)
	if _, found := properties["agentPoolProfiles"]; found {
		t.Error("a cluster that has pools is told about pools again")
	}
	if properties["kubernetesVersion"] != "1.34.2" {
		t.Errorf("asks for version %v, which is lower than what is there", properties["kubernetesVersion"])
	}
}

func TestFirstPoolsAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		pools []Pool
		want  string
	}{
		"none":           {nil, "failed to fetch azuremanagedMachine pool with mode:System, require at least 1 system node pool"},
		"no System pool": {[]Pool{pool("a", infrav1.NodePoolModeUser, nil)}, "failed to fetch azuremanagedMachine pool with mode:System, require at least 1 system node pool"},
		"newer than the control plane": {
			[]Pool{pool("a", infrav1.NodePoolModeSystem, func(p *Pool) { p.MachinePool.Spec.Template.Spec.Version = "v1.35.0" })},
			"MachinePool version cannot be greater than the AzureManagedControlPlane version",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := AgentPoolProfiles(controlPlane(), test.pools); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestProviderID(t *testing.T) {
	got, err := ProviderID("/subscriptions/S/resourceGroups/MC_RG_Demo/providers/Microsoft.Compute/virtualMachineScaleSets/aks-Pool-vmss/virtualMachines/0")
	want := "azure:///subscriptions/S/resourceGroups/mc_rg_demo/providers/Microsoft.Compute/virtualMachineScaleSets/aks-Pool-vmss/virtualMachines/0"
	if err != nil || got != want {
		t.Errorf("got %s (%v), want only the resource group in lower case: %s", got, err, want)
	}
	if got, err := ProviderID("/subscriptions/S/virtualMachines/0"); err == nil {
		t.Errorf("an id without a resource group gave %s", got)
	}
}

func TestResourceIDs(t *testing.T) {
	plane := controlPlane()
	plane.Spec.VirtualNetwork.ResourceGroup = "net-rg"
	for _, test := range []struct{ got, want string }{
		{SubnetID(plane, "nodes"), "/subscriptions/sub/resourceGroups/net-rg/providers/Microsoft.Network/virtualNetworks/net/subnets/nodes"},
		{AgentPoolID(plane, pool("one", infrav1.NodePoolModeUser, nil).Infra), "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/demo/agentPools/one"},
		{ScaleSetsID(plane), "/subscriptions/sub/resourceGroups/MC_rg_demo_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets"},
	} {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
}

func TestOwned(t *testing.T) {
	body := Network(controlPlane(), "demo")
	plain := armclient.Body(normal(t, body).(map[string]any))
	if !Owned(plain, "demo") || Owned(plain, "other") {
		t.Errorf("tags %v do not say whose it is", plain.Tags())
	}
}
