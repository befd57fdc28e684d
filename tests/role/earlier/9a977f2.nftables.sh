#!/usr/bin/env bash
# What the role of commit 9a977f2 (2026-11-27) ran, as its results had it, with nftables.
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

ip netns add web
ip netns exec web sysctl -w net.ipv4.ip_unprivileged_port_start=0
ip netns exec web sysctl -w 'net.ipv4.ping_group_range=0 2147483647'
ip -n web link set lo up
ip netns add db
ip netns exec db sysctl -w net.ipv4.ip_unprivileged_port_start=0
ip netns exec db sysctl -w 'net.ipv4.ping_group_range=0 2147483647'
ip -n db link set lo up
ip link add front0 mtu 1499 address 26:0f:7d:f0:49:de type bridge
ip link set front0 up
sysctl -w net/ipv6/conf/front0/accept_ra=0
ip link set front0 mtu 1500
ip link add back0 mtu 1499 address 2a:f9:52:68:bf:6f type bridge
ip link set back0 up
sysctl -w net/ipv6/conf/back0/accept_ra=0
sysctl -w net/ipv6/conf/back0/disable_ipv6=1
ip link set back0 mtu 1500
nft 'add table inet linuxnet_containers'
nft 'add set inet linuxnet_containers closed { type ifname; }'
nft 'add set inet linuxnet_containers icc { type ifname . ifname; }'
nft 'add set inet linuxnet_containers open { type ifname; }'
nft 'add set inet linuxnet_containers internal { type ifname; }'
nft 'add set inet linuxnet_containers inside_ip { type ifname . ipv4_addr . ifname; flags interval; }'
nft 'add set inet linuxnet_containers inside_ip6 { type ifname . ipv6_addr . ifname; flags interval; }'
nft 'add set inet linuxnet_containers insiders_ip { type ipv4_addr . ifname; flags interval; }'
nft 'add set inet linuxnet_containers insiders_ip6 { type ipv6_addr . ifname; flags interval; }'
nft 'add set inet linuxnet_containers local { type ifname . ifname; }'
nft 'add set inet linuxnet_containers alone { type ifname . ifname; }'
nft 'add chain inet linuxnet_containers closed_to'
nft 'add chain inet linuxnet_containers forward { type filter hook forward priority filter; policy accept; }'
nft 'add rule inet linuxnet_containers forward ct state established,related accept comment "linuxnet-guard-answers"'
nft 'add rule inet linuxnet_containers forward iifname . ip saddr . oifname @inside_ip accept comment "linuxnet-guard-inside-in-ip"'
nft 'add rule inet linuxnet_containers forward oifname . ip daddr . iifname @inside_ip accept comment "linuxnet-guard-inside-out-ip"'
nft 'add rule inet linuxnet_containers forward iifname . ip6 saddr . oifname @inside_ip6 accept comment "linuxnet-guard-inside-in-ip6"'
nft 'add rule inet linuxnet_containers forward oifname . ip6 daddr . iifname @inside_ip6 accept comment "linuxnet-guard-inside-out-ip6"'
nft 'add rule inet linuxnet_containers forward ip saddr . oifname @insiders_ip iifname . oifname != @local counter drop comment "linuxnet-guard-stray-ip"'
nft 'add rule inet linuxnet_containers forward ip6 saddr . oifname @insiders_ip6 iifname . oifname != @local counter drop comment "linuxnet-guard-stray-ip6"'
nft 'add rule inet linuxnet_containers forward iifname . oifname @alone counter drop comment "linuxnet-guard-only"'
nft 'add rule inet linuxnet_containers forward iifname . oifname @icc accept comment "linuxnet-guard-icc"'
nft 'add rule inet linuxnet_containers forward iifname @internal counter drop comment "linuxnet-guard-internal-out"'
nft 'add rule inet linuxnet_containers forward oifname @internal counter drop comment "linuxnet-guard-internal-in"'
nft 'add rule inet linuxnet_containers forward oifname @closed jump closed_to comment "linuxnet-guard-closed"'
nft 'add rule inet linuxnet_containers closed_to ct status dnat accept comment "linuxnet-guard-published"'
nft 'add rule inet linuxnet_containers closed_to iifname @open oifname @open accept comment "linuxnet-guard-open"'
nft 'add rule inet linuxnet_containers closed_to counter drop comment "linuxnet-guard-unpublished"'
nft 'add element inet linuxnet_containers closed { "front0" comment "linuxnet:front0" }'
nft 'add element inet linuxnet_containers icc { "front0" . "front0" }'
nft 'add table inet linuxnet_containers'
nft 'add chain inet linuxnet_containers postrouting { type nat hook postrouting priority srcnat; policy accept; }'
nft 'add chain inet linuxnet_containers untranslated { type filter hook postrouting priority filter; policy accept; }'
nft 'add rule inet linuxnet_containers postrouting ip saddr 172.20.0.0/24 oifname != "front0" ip daddr != { 172.20.0.0/24, 224.0.0.0/4, 255.255.255.255/32 } masquerade comment "linuxnet:front0"'
nft 'add rule inet linuxnet_containers untranslated ip saddr 172.20.0.0/24 oifname != "front0" ip daddr != { 172.20.0.0/24, 224.0.0.0/4, 255.255.255.255/32 } ct state invalid counter drop comment "linuxnet!front0"'
printf %s $'# Set by linuxnet.containers: its NAT rules need forwarding. Taken back with the last of them.\nnet.ipv4.ip_forward = 1\n' > /etc/sysctl.d/99-zz-linuxnet-containers.conf
nft 'add table inet linuxnet_containers'
nft 'add set inet linuxnet_containers fence_ip { type ifname; }'
nft 'add set inet linuxnet_containers fence_ip6 { type ifname; }'
nft 'add set inet linuxnet_containers spared_ip { type ifname; }'
nft 'add set inet linuxnet_containers spared_ip6 { type ifname; }'
nft 'add chain inet linuxnet_containers fence { type filter hook forward priority filter; policy accept; }'
nft 'add rule inet linuxnet_containers fence ct status dnat accept comment "linuxnet-fence-published"'
nft 'add rule inet linuxnet_containers fence meta nfproto ipv4 iifname @fence_ip oifname @fence_ip counter drop comment "linuxnet-fence-ip"'
nft 'add rule inet linuxnet_containers fence meta nfproto ipv6 iifname @fence_ip6 oifname @fence_ip6 counter drop comment "linuxnet-fence-ip6"'
nft 'add element inet linuxnet_containers fence_ip { "lo", "uplink" }'
sysctl -w net.ipv4.ip_forward=1
nft 'add table inet linuxnet_containers'
nft 'add chain inet linuxnet_containers postrouting { type nat hook postrouting priority srcnat; policy accept; }'
nft 'add chain inet linuxnet_containers untranslated { type filter hook postrouting priority filter; policy accept; }'
nft 'add rule inet linuxnet_containers postrouting ip6 saddr fd00:20::/64 oifname != "front0" ip6 daddr != { fd00:20::/64, ff00::/8 } masquerade comment "linuxnet:front0"'
nft 'add rule inet linuxnet_containers untranslated ip6 saddr fd00:20::/64 oifname != "front0" ip6 daddr != { fd00:20::/64, ff00::/8 } ct state invalid counter drop comment "linuxnet!front0"'
printf %s $'# Set by linuxnet.containers: its NAT rules need forwarding. Taken back with the last of them.\nnet.ipv4.ip_forward = 1\nnet.ipv6.conf.all.forwarding = 1\n' > /etc/sysctl.d/99-zz-linuxnet-containers.conf
nft 'add element inet linuxnet_containers fence_ip6 { "lo", "uplink" }'
sysctl -w net.ipv6.conf.all.forwarding=1
nft 'add element inet linuxnet_containers closed { "back0" comment "linuxnet:back0" }'
nft 'add element inet linuxnet_containers internal { "back0" }'
nft 'add table bridge linuxnet_containers'
nft 'add set bridge linuxnet_containers checked { type ifname; }'
nft 'add set bridge linuxnet_containers macs { type ifname . ether_addr; }'
nft 'add set bridge linuxnet_containers ipv4 { type ifname . ipv4_addr; flags interval; }'
nft 'add set bridge linuxnet_containers ipv6 { type ifname . ipv6_addr; flags interval; }'
nft 'add set bridge linuxnet_containers targets { typeof meta iifname . @th,64,128; flags interval; }'
nft 'add set bridge linuxnet_containers apart { type ifname; }'
nft 'add chain bridge linuxnet_containers advertised'
nft 'add chain bridge linuxnet_containers from_ipv6_own'
nft 'add chain bridge linuxnet_containers from_nobody'
nft 'add chain bridge linuxnet_containers from_ipv6'
nft 'add chain bridge linuxnet_containers from_ipv4'
nft 'add chain bridge linuxnet_containers from_arp_mac'
nft 'add chain bridge linuxnet_containers from_arp'
nft 'add chain bridge linuxnet_containers port'
nft 'add chain bridge linuxnet_containers incoming { type filter hook prerouting priority -300; policy accept; }'
nft 'add chain bridge linuxnet_containers taken { type filter hook input priority -300; policy accept; }'
nft 'add chain bridge linuxnet_containers between { type filter hook forward priority -300; policy accept; }'
nft 'add rule bridge linuxnet_containers incoming iifname @checked jump port comment "linuxnet-spoof-checked"'
nft 'add rule bridge linuxnet_containers taken iifname @checked ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00 counter drop comment "linuxnet-spoof-group-taken"'
nft 'add rule bridge linuxnet_containers port iifname . ether saddr != @macs counter drop comment "linuxnet-spoof-mac"'
nft 'add rule bridge linuxnet_containers port ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00 counter drop comment "linuxnet-spoof-group"'
nft 'add rule bridge linuxnet_containers port ether type vmap { ip : goto from_ipv4, arp : goto from_arp, ip6 : goto from_ipv6 } comment "linuxnet-spoof-protocol"'
nft 'add rule bridge linuxnet_containers port counter drop comment "linuxnet-spoof-other-protocol"'
nft 'add rule bridge linuxnet_containers from_arp arp htype 1 arp ptype ip arp hlen 6 arp plen 4 iifname . arp saddr ether @macs goto from_arp_mac comment "linuxnet-spoof-sender"'
nft 'add rule bridge linuxnet_containers from_arp counter drop comment "linuxnet-spoof-other-arp"'
nft 'add rule bridge linuxnet_containers from_arp_mac arp operation request arp saddr ip 0.0.0.0 accept comment "linuxnet-spoof-probe"'
nft 'add rule bridge linuxnet_containers from_arp_mac iifname . arp saddr ip @ipv4 accept comment "linuxnet-spoof-arp-source"'
nft 'add rule bridge linuxnet_containers from_arp_mac counter drop comment "linuxnet-spoof-other-arp-source"'
nft 'add rule bridge linuxnet_containers from_ipv4 iifname . ip saddr @ipv4 accept comment "linuxnet-spoof-source"'
nft 'add rule bridge linuxnet_containers from_ipv4 counter drop comment "linuxnet-spoof-other-source"'
nft 'add rule bridge linuxnet_containers from_ipv6 icmpv6 type { nd-router-advert, nd-redirect } counter drop comment "linuxnet-spoof-router"'
nft 'add rule bridge linuxnet_containers from_ipv6 ip6 saddr :: goto from_nobody comment "linuxnet-spoof-unspecified"'
nft 'add rule bridge linuxnet_containers from_ipv6 iifname . ip6 saddr @ipv6 goto from_ipv6_own comment "linuxnet-spoof-source6"'
nft 'add rule bridge linuxnet_containers from_ipv6 counter drop comment "linuxnet-spoof-other-source6"'
nft 'add rule bridge linuxnet_containers from_nobody icmpv6 type { mld-listener-report, mld-listener-done, nd-neighbor-solicit, mld2-listener-report } accept comment "linuxnet-spoof-detection"'
nft 'add rule bridge linuxnet_containers from_nobody counter drop comment "linuxnet-spoof-other-unspecified"'
nft 'add rule bridge linuxnet_containers from_ipv6_own icmpv6 type nd-neighbor-advert goto advertised comment "linuxnet-spoof-advertisement"'
nft 'add rule bridge linuxnet_containers from_ipv6_own icmpv6 type != nd-neighbor-advert accept comment "linuxnet-spoof-icmpv6"'
nft 'add rule bridge linuxnet_containers from_ipv6_own meta l4proto 58 frag frag-off != 0 accept comment "linuxnet-spoof-fragment"'
nft 'add rule bridge linuxnet_containers from_ipv6_own meta l4proto != 58 accept comment "linuxnet-spoof-payload"'
nft 'add rule bridge linuxnet_containers from_ipv6_own counter drop comment "linuxnet-spoof-other-payload"'
nft 'add rule bridge linuxnet_containers advertised iifname . @th,64,128 @targets accept comment "linuxnet-spoof-target"'
nft 'add rule bridge linuxnet_containers advertised counter drop comment "linuxnet-spoof-other-target"'
nft 'add rule bridge linuxnet_containers between iifname @apart meta pkttype != host counter drop comment "linuxnet-spoof-from-apart"'
nft 'add rule bridge linuxnet_containers between oifname @apart meta pkttype != host counter drop comment "linuxnet-spoof-to-apart"'
nft 'add element bridge linuxnet_containers targets { "vethzvxkcem3eqk" . 0xfe8000000000000090bc7bfffe4ea5a0 comment "linuxnet:web" }'
nft 'add element bridge linuxnet_containers ipv6 { "vethzvxkcem3eqk" . fe80::90bc:7bff:fe4e:a5a0 comment "linuxnet:web" }'
nft 'add element bridge linuxnet_containers macs { "vethzvxkcem3eqk" . 92:bc:7b:4e:a5:a0 comment "linuxnet:web" }'
nft 'add element bridge linuxnet_containers checked { "vethzvxkcem3eqk" comment "linuxnet:web|wiring" }'
nft 'add element bridge linuxnet_containers targets { "vethwzfgk4jxc3w" . 0xfe800000000000002c984ffffe8b32e9 comment "linuxnet:db" }'
nft 'add element bridge linuxnet_containers ipv6 { "vethwzfgk4jxc3w" . fe80::2c98:4fff:fe8b:32e9 comment "linuxnet:db" }'
nft 'add element bridge linuxnet_containers macs { "vethwzfgk4jxc3w" . 2e:98:4f:8b:32:e9 comment "linuxnet:db" }'
nft 'add element bridge linuxnet_containers checked { "vethwzfgk4jxc3w" comment "linuxnet:db|wiring" }'
nft 'add element bridge linuxnet_containers targets { "vethlfwulx5axto" . 0xfe8000000000000080f200fffe6b1836 comment "linuxnet:db" }'
nft 'add element bridge linuxnet_containers ipv6 { "vethlfwulx5axto" . fe80::80f2:ff:fe6b:1836 comment "linuxnet:db" }'
nft 'add element bridge linuxnet_containers macs { "vethlfwulx5axto" . 82:f2:00:6b:18:36 comment "linuxnet:db" }'
nft 'add element bridge linuxnet_containers checked { "vethlfwulx5axto" comment "linuxnet:db|wiring" }'
ip address add 172.20.0.1/24 broadcast 172.20.0.255 dev front0
arping -U -c 1 -I front0 172.20.0.1
ip address add fd00:20::1/64 dev front0 nodad
# unsolicited neighbour advertisement of fd00:20::1 from front0
ip address add 172.21.0.1/24 broadcast 172.21.0.255 dev back0
arping -U -c 1 -I back0 172.21.0.1
ip link add vethzvxkcem3eqk mtu 1500 address 3e:88:8f:27:16:bf master front0 type veth peer name eth0 mtu 1500 address 92:bc:7b:4e:a5:a0 netns web
ip link set vethzvxkcem3eqk up
ip netns exec web sysctl -w net/ipv6/conf/eth0/accept_ra=0
ip -n web link set eth0 up
ip link add vethwzfgk4jxc3w mtu 1500 address c6:99:59:7a:09:be master front0 type veth peer name eth0 mtu 1500 address 2e:98:4f:8b:32:e9 netns db
ip link set vethwzfgk4jxc3w up
ip netns exec db sysctl -w net/ipv6/conf/eth0/accept_ra=0
ip -n db link set eth0 up
ip link add vethlfwulx5axto mtu 1500 address ee:2e:9c:bb:0f:ee type veth peer name eth1 mtu 1500 address 82:f2:00:6b:18:36 netns db
ip link set vethlfwulx5axto up
ip netns exec db sysctl -w net/ipv6/conf/eth1/accept_ra=0
ip netns exec db sysctl -w net/ipv6/conf/eth1/disable_ipv6=1
ip -n db link set eth1 up
ip link set vethlfwulx5axto master back0
bridge link set dev vethlfwulx5axto isolated on
ip -n web address add 172.20.0.128/24 broadcast 172.20.0.255 dev eth0
ip netns exec web arping -U -c 1 -I eth0 172.20.0.128
ip -n web address add fd00:20::c0ec:e9fd:46dd:3fcf/64 dev eth0 nodad
# unsolicited neighbour advertisement of fd00:20::c0ec:e9fd:46dd:3fcf from eth0
ip -n db address add 172.20.0.239/24 broadcast 172.20.0.255 dev eth0
ip netns exec db arping -U -c 1 -I eth0 172.20.0.239
ip -n db address add fd00:20::f1d5:2a43:c8c3:b682/64 dev eth0 nodad
# unsolicited neighbour advertisement of fd00:20::f1d5:2a43:c8c3:b682 from eth0
ip -n db address add 172.21.0.213/24 broadcast 172.21.0.255 dev eth1
ip netns exec db arping -U -c 1 -I eth1 172.21.0.213
ip -n web route add default via 172.20.0.1 dev eth0 proto 76
ip -n web -6 route add default via fd00:20::1 dev eth0 metric 1024 proto 76
ip -n db route add default via 172.20.0.1 dev eth0 proto 76
ip -n db -6 route add default via fd00:20::1 dev eth0 metric 1024 proto 76
nft 'add table inet linuxnet_containers'
nft 'add map inet linuxnet_containers publish_ip { type inet_proto . ipv4_addr . inet_service : ipv4_addr; flags interval; }'
nft 'add map inet linuxnet_containers publish_ip_port { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; flags interval; }'
nft 'add map inet linuxnet_containers publish_ip6 { type inet_proto . ipv6_addr . inet_service : ipv6_addr; flags interval; }'
nft 'add map inet linuxnet_containers publish_ip6_port { type inet_proto . ipv6_addr . inet_service : ipv6_addr . inet_service; flags interval; }'
nft 'add set inet linuxnet_containers loops { type ifname . ifname; }'
nft 'add set inet linuxnet_containers localnet { type ifname; }'
nft 'add chain inet linuxnet_containers publish'
nft 'add chain inet linuxnet_containers prerouting { type nat hook prerouting priority dstnat; policy accept; }'
nft 'add chain inet linuxnet_containers output { type nat hook output priority -100; policy accept; }'
nft 'add chain inet linuxnet_containers raw { type filter hook prerouting priority raw; policy accept; }'
nft 'add chain inet linuxnet_containers answers { type filter hook prerouting priority filter; policy accept; }'
nft 'add chain inet linuxnet_containers hairpin { type nat hook postrouting priority srcnat; policy accept; }'
nft 'add rule inet linuxnet_containers publish ip6 daddr { ::1, fe80::/10 } return comment "linuxnet-publish-here"'
nft 'add rule inet linuxnet_containers publish dnat ip to meta l4proto . ip daddr . th dport map @publish_ip comment "linuxnet-publish-same-ip"'
nft 'add rule inet linuxnet_containers publish meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . ip daddr . th dport map @publish_ip_port comment "linuxnet-publish-port-ip"'
nft 'add rule inet linuxnet_containers publish dnat ip6 to meta l4proto . ip6 daddr . th dport map @publish_ip6 comment "linuxnet-publish-same-ip6"'
nft 'add rule inet linuxnet_containers publish meta l4proto { tcp, udp, sctp } dnat ip6 to meta l4proto . ip6 daddr . th dport map @publish_ip6_port comment "linuxnet-publish-port-ip6"'
nft 'add rule inet linuxnet_containers prerouting fib daddr type local jump publish comment "linuxnet-publish-prerouting"'
nft 'add rule inet linuxnet_containers output fib daddr type local jump publish comment "linuxnet-publish-output"'
nft 'add rule inet linuxnet_containers raw iifname != "lo" ip daddr 127.0.0.0/8 drop comment "linuxnet-publish-localhost"'
nft 'add rule inet linuxnet_containers answers ct status dnat ip daddr 127.0.0.0/8 meta mark set meta mark | 536870912 comment "linuxnet-publish-answers"'
nft 'add rule inet linuxnet_containers hairpin ct status dnat ip saddr 127.0.0.0/8 masquerade comment "linuxnet-publish-localhost"'
nft 'add rule inet linuxnet_containers hairpin ct status dnat iifname . oifname @loops masquerade comment "linuxnet-publish-sibling"'
nft 'add rule inet linuxnet_containers hairpin iif != 0 return comment "linuxnet-publish-routed"'
nft 'add rule inet linuxnet_containers hairpin fib saddr type local return comment "linuxnet-publish-host"'
nft 'add rule inet linuxnet_containers hairpin ct status dnat oifname . oifname @loops masquerade comment "linuxnet-publish-bridged"'
nft 'add element inet linuxnet_containers loops { "front0" . "front0" }'
nft 'add element inet linuxnet_containers localnet { "front0", "vethzvxkcem3eqk" comment "linuxnet-hairpin|front0" }'
nft 'add element inet linuxnet_containers publish_ip_port { tcp . 0.0.0.0/0 . 8080 comment "linuxnet:web|front0|" : 172.20.0.128 . 80 }'
bridge link set dev vethzvxkcem3eqk hairpin on
ip rule add iif front0 priority 0 to 127.0.0.0/8 fwmark 0/0x20000000 protocol 76 prohibit
ip rule add priority 1 lookup local protocol kernel
ip rule del priority 0 lookup local protocol kernel
ip rule add priority 0 lookup local protocol kernel
ip rule del priority 1 lookup local protocol kernel
sysctl -w net/ipv4/conf/front0/route_localnet=1
nft 'add element inet linuxnet_containers loops { "front0" . "front0" }'
nft 'add element inet linuxnet_containers publish_ip6_port { tcp . ::/0 . 8080 comment "linuxnet:web|front0|" : fd00:20::c0ec:e9fd:46dd:3fcf . 80 }'
nft 'add element inet linuxnet_containers loops { "front0" . "front0" }'
nft 'add element inet linuxnet_containers publish_ip_port { udp . 127.0.0.1 . 8081 comment "linuxnet:web|front0|" : 172.20.0.128 . 81 }'
conntrack -D -f ipv4 -p udp --orig-port-dst 8081 || true
nft 'add element inet linuxnet_containers loops { "front0" . "front0" }'
nft 'add element inet linuxnet_containers publish_ip { tcp . 0.0.0.0/0 . 30000-30009 comment "linuxnet:web|front0|" : 172.20.0.128 }'
nft 'add element inet linuxnet_containers loops { "front0" . "front0" }'
nft 'add element inet linuxnet_containers publish_ip6 { tcp . ::/0 . 30000-30009 comment "linuxnet:web|front0|" : fd00:20::c0ec:e9fd:46dd:3fcf }'
nft 'add element bridge linuxnet_containers targets { "vethzvxkcem3eqk" . 0xfd00002000000000c0ece9fd46dd3fcf comment "linuxnet:web" }'
nft 'add element bridge linuxnet_containers ipv6 { "vethzvxkcem3eqk" . fd00:20::c0ec:e9fd:46dd:3fcf comment "linuxnet:web" }'
nft 'add element bridge linuxnet_containers ipv4 { "vethzvxkcem3eqk" . 172.20.0.128 comment "linuxnet:web" }'
ip netns exec web arping -U -c 1 -I eth0 172.20.0.128
# unsolicited neighbour advertisement of fd00:20::c0ec:e9fd:46dd:3fcf from eth0
nft 'add element bridge linuxnet_containers targets { "vethwzfgk4jxc3w" . 0xfd00002000000000f1d52a43c8c3b682 comment "linuxnet:db" }'
nft 'add element bridge linuxnet_containers ipv6 { "vethwzfgk4jxc3w" . fd00:20::f1d5:2a43:c8c3:b682 comment "linuxnet:db" }'
nft 'add element bridge linuxnet_containers ipv4 { "vethwzfgk4jxc3w" . 172.20.0.239 comment "linuxnet:db" }'
ip netns exec db arping -U -c 1 -I eth0 172.20.0.239
# unsolicited neighbour advertisement of fd00:20::f1d5:2a43:c8c3:b682 from eth0
nft 'add element bridge linuxnet_containers ipv4 { "vethlfwulx5axto" . 172.21.0.213 comment "linuxnet:db" }'
ip netns exec db arping -U -c 1 -I eth1 172.21.0.213
