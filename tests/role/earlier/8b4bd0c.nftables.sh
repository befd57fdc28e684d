#!/usr/bin/env bash
# What the role of commit 8b4bd0c (2026-11-25) ran, as its results had it, with nftables.
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

ip netns add web
ip -n web link set lo up
ip netns add db
ip -n db link set lo up
ip link add front0 mtu 1499 address fa:63:32:42:ee:0e type bridge
ip link set front0 up
ip link set front0 mtu 1500
ip link add back0 mtu 1499 address 7e:a9:04:fe:31:7e type bridge
ip link set back0 up
ip link set back0 mtu 1500
ip address add 172.20.0.1/24 dev front0
arping -U -c 1 -I front0 172.20.0.1
ip address add fd00:20::1/64 dev front0 nodad
# unsolicited neighbour advertisement of fd00:20::1 from front0
ip link add vethzvxkcem3eqk mtu 1500 address 72:c4:83:b4:96:8e master front0 type veth peer name eth0 mtu 1500 address 52:94:ec:ad:f2:e7 netns web
ip link set vethzvxkcem3eqk up
ip -n web link set eth0 up
ip link add vethwzfgk4jxc3w mtu 1500 address fa:a4:1c:d5:d1:6b master front0 type veth peer name eth0 mtu 1500 address ea:97:b9:0a:be:54 netns db
ip link set vethwzfgk4jxc3w up
ip -n db link set eth0 up
ip link add vethlfwulx5axto mtu 1500 address c6:0e:73:68:79:ac type veth peer name eth1 mtu 1500 address b2:29:26:9b:2e:de netns db
ip link set vethlfwulx5axto up
ip -n db link set eth1 up
ip link set vethlfwulx5axto master back0
bridge link set dev vethlfwulx5axto isolated on
ip -n web address add 172.20.0.128/24 dev eth0
ip netns exec web arping -U -c 1 -I eth0 172.20.0.128
ip -n web address add fd00:20::c0ec:e9fd:46dd:3fcf/64 dev eth0 nodad
# unsolicited neighbour advertisement of fd00:20::c0ec:e9fd:46dd:3fcf from eth0
ip -n db address add 172.20.0.239/24 dev eth0
ip netns exec db arping -U -c 1 -I eth0 172.20.0.239
ip -n db address add fd00:20::f1d5:2a43:c8c3:b682/64 dev eth0 nodad
# unsolicited neighbour advertisement of fd00:20::f1d5:2a43:c8c3:b682 from eth0
ip -n db address add 172.21.0.213/24 dev eth1
ip netns exec db arping -U -c 1 -I eth1 172.21.0.213
ip -n web route add default via 172.20.0.1 dev eth0 proto 76
ip -n web -6 route add default via fd00:20::1 dev eth0 metric 1024 proto 76
ip -n db route add default via 172.20.0.1 dev eth0 proto 76
ip -n db -6 route add default via fd00:20::1 dev eth0 metric 1024 proto 76
nft 'add table inet linuxnet_containers'
nft 'add set inet linuxnet_containers closed { type ifname; }'
nft 'add set inet linuxnet_containers icc { type ifname . ifname; }'
nft 'add set inet linuxnet_containers open { type ifname; }'
nft 'add set inet linuxnet_containers internal { type ifname; }'
nft 'add chain inet linuxnet_containers closed_to'
nft 'add chain inet linuxnet_containers forward { type filter hook forward priority filter; policy accept; }'
nft 'add rule inet linuxnet_containers forward ct state established,related accept comment "linuxnet-guard-answers"'
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
nft 'add rule inet linuxnet_containers postrouting ip saddr 172.20.0.0/24 oifname != "front0" ip daddr != { 172.20.0.0/24, 224.0.0.0/4, 255.255.255.255/32 } masquerade comment "linuxnet:front0"'
sysctl -w net.ipv4.ip_forward=1
printf %s $'# Set by linuxnet.containers: its NAT rules need forwarding. Taken back with the last of them.\nnet.ipv4.ip_forward = 1\n' > /etc/sysctl.d/99-zz-linuxnet-containers.conf
nft 'add table inet linuxnet_containers'
nft 'add chain inet linuxnet_containers postrouting { type nat hook postrouting priority srcnat; policy accept; }'
nft 'add rule inet linuxnet_containers postrouting ip6 saddr fd00:20::/64 oifname != "front0" ip6 daddr != { fd00:20::/64, ff00::/8 } masquerade comment "linuxnet:front0"'
sysctl -w net.ipv6.conf.all.forwarding=1
printf %s $'# Set by linuxnet.containers: its NAT rules need forwarding. Taken back with the last of them.\nnet.ipv4.ip_forward = 1\nnet.ipv6.conf.all.forwarding = 1\n' > /etc/sysctl.d/99-zz-linuxnet-containers.conf
nft 'add element inet linuxnet_containers closed { "back0" comment "linuxnet:back0" }'
nft 'add element inet linuxnet_containers internal { "back0" }'
sysctl -w net/ipv4/conf/front0/route_localnet=1
bridge link set dev vethzvxkcem3eqk hairpin on
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
nft 'add chain inet linuxnet_containers hairpin { type nat hook postrouting priority srcnat; policy accept; }'
nft 'add rule inet linuxnet_containers publish dnat ip to meta l4proto . ip daddr . th dport map @publish_ip comment "linuxnet-publish-same-ip"'
nft 'add rule inet linuxnet_containers publish meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . ip daddr . th dport map @publish_ip_port comment "linuxnet-publish-port-ip"'
nft 'add rule inet linuxnet_containers publish dnat ip6 to meta l4proto . ip6 daddr . th dport map @publish_ip6 comment "linuxnet-publish-same-ip6"'
nft 'add rule inet linuxnet_containers publish meta l4proto { tcp, udp, sctp } dnat ip6 to meta l4proto . ip6 daddr . th dport map @publish_ip6_port comment "linuxnet-publish-port-ip6"'
nft 'add rule inet linuxnet_containers prerouting fib daddr type local jump publish comment "linuxnet-publish-prerouting"'
nft 'add rule inet linuxnet_containers output fib daddr type local jump publish comment "linuxnet-publish-output"'
nft 'add rule inet linuxnet_containers raw iifname != "lo" ip daddr 127.0.0.0/8 drop comment "linuxnet-publish-localhost"'
nft 'add rule inet linuxnet_containers hairpin ct status dnat ip saddr 127.0.0.0/8 masquerade comment "linuxnet-publish-localhost"'
nft 'add rule inet linuxnet_containers hairpin ct status dnat iifname . oifname @loops masquerade comment "linuxnet-publish-sibling"'
nft 'add rule inet linuxnet_containers hairpin iif != 0 return comment "linuxnet-publish-routed"'
nft 'add rule inet linuxnet_containers hairpin fib saddr type local return comment "linuxnet-publish-host"'
nft 'add rule inet linuxnet_containers hairpin ct status dnat oifname . oifname @loops masquerade comment "linuxnet-publish-bridged"'
nft 'add element inet linuxnet_containers loops { "front0" . "front0" }'
nft 'add element inet linuxnet_containers localnet { "front0" }'
nft 'add element inet linuxnet_containers publish_ip_port { tcp . 0.0.0.0/0 . 8080 comment "linuxnet:web|front0|" : 172.20.0.128 . 80 }'
nft 'add element inet linuxnet_containers loops { "front0" . "front0" }'
nft 'add element inet linuxnet_containers publish_ip6_port { tcp . ::/0 . 8080 comment "linuxnet:web|front0|" : fd00:20::c0ec:e9fd:46dd:3fcf . 80 }'
nft 'add element inet linuxnet_containers loops { "front0" . "front0" }'
nft 'add element inet linuxnet_containers publish_ip_port { udp . 127.0.0.1 . 8081 comment "linuxnet:web|front0|" : 172.20.0.128 . 81 }'
conntrack -D -f ipv4 -p udp --orig-port-dst 8081 || true
nft 'add element inet linuxnet_containers loops { "front0" . "front0" }'
nft 'add element inet linuxnet_containers publish_ip { tcp . 0.0.0.0/0 . 30000-30009 comment "linuxnet:web|front0|" : 172.20.0.128 }'
nft 'add element inet linuxnet_containers loops { "front0" . "front0" }'
nft 'add element inet linuxnet_containers publish_ip6 { tcp . ::/0 . 30000-30009 comment "linuxnet:web|front0|" : fd00:20::c0ec:e9fd:46dd:3fcf }'
