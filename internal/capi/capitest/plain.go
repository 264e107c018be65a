package capitest

import (
	"encoding/json"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// Plain is a provider that has nothing to do with Azure: it keeps a pool under
// names of its own, and its nodes' label and the pool's owner in places of their
// own. It proves that nothing but the flavours knows Azure.
type Plain struct{}

const plainGroup = "infrastructure.cluster.x-k8s.io"

// Kinds implements capi.Flavor.
func (Plain) Kinds() capi.Kinds {
	return capi.Kinds{
		Cluster:      "PlainCluster",
		ControlPlane: schema.GroupVersionKind{Group: plainGroup, Version: "v1", Kind: "PlainControlPlane"},
		Pool:         schema.GroupVersionKind{Group: plainGroup, Version: "v1", Kind: "PlainMachinePool"},
	}
}

// Related implements capi.Flavor.
func (Plain) Related(*unstructured.Unstructured) *unstructured.Unstructured { return nil }

// ReadControlPlane implements capi.Flavor.
func (Plain) ReadControlPlane(c *capi.Cluster, plane, _ *unstructured.Unstructured) {
	c.WantedVersion, _, _ = unstructured.NestedString(plane.Object, "spec", "version")
	c.Version = c.WantedVersion
}

// machines is all that a PlainMachinePool is made with, and all that it can
// change.
type machines struct {
	ID       string    `json:"id,omitempty"`
	Hardware hardware  `json:"hardware"`
	Settings *settings `json:"settings,omitempty"`
	Elastic  *elastic  `json:"elastic,omitempty"`
	Owned    *owned    `json:"owned,omitempty"`
}

type hardware struct {
	Size, Market, Bid, Reclaim, Disk, Image, Family, Network, PodNetwork string
	DiskGiB, Pods                                                        int32
	Sites                                                                []string
	Extra                                                                map[string]string
}

type settings struct {
	Purpose, Parking string
	Labels, Marks    map[string]string
	Taints           []agentpool.Taint
	Extra            map[string]string
}

type elastic struct{ From, To int32 }

type owned struct{ Base, Fingerprint, Owner string }

func (m machines) write(infra *unstructured.Unstructured) {
	text, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("write a PlainMachinePool: %v", err))
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		panic(fmt.Sprintf("write a PlainMachinePool: %v", err))
	}
	infra.Object["spec"] = tree
}

func readMachines(infra *unstructured.Unstructured) machines {
	var m machines
	text, err := json.Marshal(infra.Object["spec"])
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		panic(fmt.Sprintf("read a PlainMachinePool: %v", err))
	}
	return m
}

// Read implements capi.Flavor.
func (Plain) Read(infra, _ *unstructured.Unstructured) capi.Reading {
	m := readMachines(infra)
	h := m.Hardware
	s := agentpool.Spec{
		Type: h.Market, MachineType: h.Size, DiskSizeGiB: h.DiskGiB, DiskType: h.Disk, MaxPods: h.Pods,
		OSType: h.Family, OSSKU: h.Image, Zones: h.Sites, Subnet: h.Network, PodSubnet: h.PodNetwork,
		SpotMaxPrice: h.Bid, SpotEvictionPolicy: h.Reclaim, Overrides: map[string]string{},
	}
	extras := []map[string]string{h.Extra}
	if m.Settings != nil {
		s.Mode, s.ScaleDownMode = m.Settings.Purpose, m.Settings.Parking
		s.Labels, s.Tags, s.Taints = m.Settings.Labels, m.Settings.Marks, m.Settings.Taints
		extras = append(extras, m.Settings.Extra)
	}
	for _, extra := range extras {
		maps.Copy(s.Overrides, extra)
	}
	if m.Elastic != nil {
		s.Scaling = &agentpool.Scaling{Min: m.Elastic.From, Max: m.Elastic.To}
	}
	return capi.Reading{Name: m.ID, Ready: true, Spec: s, Progress: capi.Progress{State: capi.Done}}
}

// Build implements capi.Flavor.
func (Plain) Build(infra *unstructured.Unstructured, _ capi.Cluster, p capi.NewPool) {
	s := p.Spec
	machines{ID: p.Name, Hardware: hardware{
		Size: s.MachineType, Market: s.Type, Bid: s.SpotMaxPrice, Reclaim: s.SpotEvictionPolicy, Disk: s.DiskType, Image: s.OSSKU, Family: s.OSType,
		Network: s.Subnet, PodNetwork: s.PodSubnet, DiskGiB: s.DiskSizeGiB, Pods: s.MaxPods, Sites: s.Zones, Extra: s.OfEffect(agentpool.Replace),
	}}.write(infra)
}

// SetInPlace implements capi.Flavor.
func (Plain) SetInPlace(infra *unstructured.Unstructured, s agentpool.Spec) {
	m := readMachines(infra)
	if m.Settings == nil {
		m.Settings = &settings{}
	}
	if s.Mode != "" {
		m.Settings.Purpose = s.Mode
	}
	if s.ScaleDownMode != "" {
		m.Settings.Parking = s.ScaleDownMode
	}
	m.Settings.Labels, m.Settings.Marks, m.Settings.Taints = s.Labels, s.Tags, s.Taints
	if m.Settings.Extra == nil {
		m.Settings.Extra = map[string]string{}
	}
	maps.Copy(m.Settings.Extra, s.OfEffect(agentpool.InPlace))
	m.write(infra)
}

// SetOwned implements capi.Flavor.
func (Plain) SetOwned(infra *unstructured.Unstructured, o capi.Owned) {
	m := readMachines(infra)
	m.Owned = &owned{Base: o.BaseName, Fingerprint: o.Fingerprint, Owner: o.Owner}
	m.write(infra)
}

// SetScaling implements capi.Flavor.
func (Plain) SetScaling(infra *unstructured.Unstructured, s *agentpool.Scaling) {
	m := readMachines(infra)
	if m.Elastic = nil; s != nil {
		m.Elastic = &elastic{From: s.Min, To: s.Max}
	}
	m.write(infra)
}

// Pin implements capi.Flavor: nobody but us writes the MachinePool's number.
func (Plain) Pin(*unstructured.Unstructured, *int32) {}

// LeaveCount implements capi.Flavor.
func (Plain) LeaveCount(*unstructured.Unstructured) {}
