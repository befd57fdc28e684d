#!/usr/bin/env bash
# What the role of commit 8b4bd0c (2026-11-25) ran, as its results had it, with iptables.
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
iptables-nft -t filter -N LINUXNET-FORWARD
iptables-nft -t filter -N LINUXNET-GUARD
iptables-nft -t filter -N LINUXNET-OPEN
iptables-nft -t filter -N LINUXNET-CLOSED
iptables-nft -t filter -A LINUXNET-FORWARD -m comment --comment linuxnet -j LINUXNET-GUARD
iptables-nft -t filter -A LINUXNET-GUARD -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment linuxnet -j RETURN
iptables-nft -t filter -A LINUXNET-GUARD -i front0 -o front0 -m comment --comment linuxnet -j RETURN
iptables-nft -t filter -A LINUXNET-GUARD -o front0 -m comment --comment linuxnet:front0 -g LINUXNET-CLOSED
iptables-nft -t filter -A LINUXNET-OPEN -m comment --comment linuxnet -g LINUXNET-CLOSED
iptables-nft -t filter -A LINUXNET-CLOSED -m conntrack --ctstate DNAT -m comment --comment linuxnet -j RETURN
iptables-nft -t filter -A LINUXNET-CLOSED -m comment --comment linuxnet -j DROP
iptables-nft -t filter -I FORWARD -m comment --comment linuxnet -j LINUXNET-FORWARD
ip6tables-nft -t filter -N LINUXNET-FORWARD
ip6tables-nft -t filter -N LINUXNET-GUARD
ip6tables-nft -t filter -N LINUXNET-OPEN
ip6tables-nft -t filter -N LINUXNET-CLOSED
ip6tables-nft -t filter -A LINUXNET-FORWARD -m comment --comment linuxnet -j LINUXNET-GUARD
ip6tables-nft -t filter -A LINUXNET-GUARD -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment linuxnet -j RETURN
ip6tables-nft -t filter -A LINUXNET-GUARD -i front0 -o front0 -m comment --comment linuxnet -j RETURN
ip6tables-nft -t filter -A LINUXNET-GUARD -o front0 -m comment --comment linuxnet:front0 -g LINUXNET-CLOSED
ip6tables-nft -t filter -A LINUXNET-OPEN -m comment --comment linuxnet -g LINUXNET-CLOSED
ip6tables-nft -t filter -A LINUXNET-CLOSED -m conntrack --ctstate DNAT -m comment --comment linuxnet -j RETURN
ip6tables-nft -t filter -A LINUXNET-CLOSED -m comment --comment linuxnet -j DROP
ip6tables-nft -t filter -I FORWARD -m comment --comment linuxnet -j LINUXNET-FORWARD
iptables-nft -t nat -N LINUXNET-POSTROUTING
iptables-nft -t nat -N LINUXNET-7C733B98C655
iptables-nft -t nat -A LINUXNET-POSTROUTING -s 172.20.0.0/24 '!' -o front0 -m comment --comment linuxnet:front0 -j LINUXNET-7C733B98C655
iptables-nft -t nat -A LINUXNET-7C733B98C655 -d 172.20.0.0/24 -j RETURN
iptables-nft -t nat -A LINUXNET-7C733B98C655 -d 224.0.0.0/4 -j RETURN
iptables-nft -t nat -A LINUXNET-7C733B98C655 -d 255.255.255.255/32 -j RETURN
iptables-nft -t nat -A LINUXNET-7C733B98C655 -j MASQUERADE
iptables-nft -t nat -I POSTROUTING -m comment --comment linuxnet -j LINUXNET-POSTROUTING
sysctl -w net.ipv4.ip_forward=1
printf %s $'# Set by linuxnet.containers: its NAT rules need forwarding. Taken back with the last of them.\nnet.ipv4.ip_forward = 1\n' > /etc/sysctl.d/99-zz-linuxnet-containers.conf
ip6tables-nft -t nat -N LINUXNET-POSTROUTING
ip6tables-nft -t nat -N LINUXNET-469FDCA14D2D
ip6tables-nft -t nat -A LINUXNET-POSTROUTING -s fd00:20::/64 '!' -o front0 -m comment --comment linuxnet:front0 -j LINUXNET-469FDCA14D2D
ip6tables-nft -t nat -A LINUXNET-469FDCA14D2D -d fd00:20::/64 -j RETURN
ip6tables-nft -t nat -A LINUXNET-469FDCA14D2D -d ff00::/8 -j RETURN
ip6tables-nft -t nat -A LINUXNET-469FDCA14D2D -j MASQUERADE
ip6tables-nft -t nat -I POSTROUTING -m comment --comment linuxnet -j LINUXNET-POSTROUTING
sysctl -w net.ipv6.conf.all.forwarding=1
printf %s $'# Set by linuxnet.containers: its NAT rules need forwarding. Taken back with the last of them.\nnet.ipv4.ip_forward = 1\nnet.ipv6.conf.all.forwarding = 1\n' > /etc/sysctl.d/99-zz-linuxnet-containers.conf
iptables-nft -t filter -F LINUXNET-GUARD
iptables-nft -t filter -A LINUXNET-GUARD -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment linuxnet -j RETURN
iptables-nft -t filter -A LINUXNET-GUARD -i front0 -o front0 -m comment --comment linuxnet -j RETURN
iptables-nft -t filter -A LINUXNET-GUARD -i back0 -m comment --comment linuxnet -j DROP
iptables-nft -t filter -A LINUXNET-GUARD -o back0 -m comment --comment linuxnet -j DROP
iptables-nft -t filter -A LINUXNET-GUARD -o front0 -m comment --comment linuxnet:front0 -g LINUXNET-CLOSED
iptables-nft -t filter -A LINUXNET-GUARD -o back0 -m comment --comment linuxnet:back0 -g LINUXNET-CLOSED
ip6tables-nft -t filter -F LINUXNET-GUARD
ip6tables-nft -t filter -A LINUXNET-GUARD -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment linuxnet -j RETURN
ip6tables-nft -t filter -A LINUXNET-GUARD -i front0 -o front0 -m comment --comment linuxnet -j RETURN
ip6tables-nft -t filter -A LINUXNET-GUARD -i back0 -m comment --comment linuxnet -j DROP
ip6tables-nft -t filter -A LINUXNET-GUARD -o back0 -m comment --comment linuxnet -j DROP
ip6tables-nft -t filter -A LINUXNET-GUARD -o front0 -m comment --comment linuxnet:front0 -g LINUXNET-CLOSED
ip6tables-nft -t filter -A LINUXNET-GUARD -o back0 -m comment --comment linuxnet:back0 -g LINUXNET-CLOSED
sysctl -w net/ipv4/conf/front0/route_localnet=1
bridge link set dev vethzvxkcem3eqk hairpin on
iptables-nft -t raw -N LINUXNET-RAW
iptables-nft -t raw -A LINUXNET-RAW -d 127.0.0.0/8 '!' -i lo -m comment --comment linuxnet -j DROP
iptables-nft -t raw -A LINUXNET-RAW -i front0 -m comment --comment linuxnet-localnet
iptables-nft -t raw -I PREROUTING -m comment --comment linuxnet -j LINUXNET-RAW
iptables-nft -t mangle -N LINUXNET-MANGLE
iptables-nft -t mangle -A LINUXNET-MANGLE -i front0 -o front0 -m conntrack --ctstate DNAT -m comment --comment linuxnet -j MARK --set-xmark 0x20000000/0x20000000
iptables-nft -t mangle -I FORWARD -m comment --comment linuxnet -j LINUXNET-MANGLE
iptables-nft -t nat -N LINUXNET-PUBLISH
iptables-nft -t nat -N LINUXNET-HAIRPIN
iptables-nft -t nat -A LINUXNET-PUBLISH -p tcp -m tcp --dport 8080 -m comment --comment 'linuxnet:web|front0|' -j DNAT --to-destination 172.20.0.128:80
iptables-nft -t nat -A LINUXNET-HAIRPIN -s 127.0.0.0/8 -m conntrack --ctstate DNAT -m comment --comment linuxnet -j MASQUERADE
iptables-nft -t nat -A LINUXNET-HAIRPIN -m mark --mark 0x20000000/0x20000000 -m conntrack --ctstate DNAT -m comment --comment linuxnet -j MASQUERADE
iptables-nft -t nat -I PREROUTING -m addrtype --dst-type LOCAL -m comment --comment linuxnet -j LINUXNET-PUBLISH
iptables-nft -t nat -I OUTPUT -m addrtype --dst-type LOCAL -m comment --comment linuxnet -j LINUXNET-PUBLISH
iptables-nft -t nat -I POSTROUTING -m comment --comment linuxnet -j LINUXNET-HAIRPIN
ip6tables-nft -t mangle -N LINUXNET-MANGLE
ip6tables-nft -t mangle -A LINUXNET-MANGLE -i front0 -o front0 -m conntrack --ctstate DNAT -m comment --comment linuxnet -j MARK --set-xmark 0x20000000/0x20000000
ip6tables-nft -t mangle -I FORWARD -m comment --comment linuxnet -j LINUXNET-MANGLE
ip6tables-nft -t nat -N LINUXNET-PUBLISH
ip6tables-nft -t nat -N LINUXNET-HAIRPIN
ip6tables-nft -t nat -A LINUXNET-PUBLISH -p tcp -m tcp --dport 8080 -m comment --comment 'linuxnet:web|front0|' -j DNAT --to-destination '[fd00:20::c0ec:e9fd:46dd:3fcf]:80'
ip6tables-nft -t nat -A LINUXNET-HAIRPIN -m mark --mark 0x20000000/0x20000000 -m conntrack --ctstate DNAT -m comment --comment linuxnet -j MASQUERADE
ip6tables-nft -t nat -I PREROUTING -m addrtype --dst-type LOCAL -m comment --comment linuxnet -j LINUXNET-PUBLISH
ip6tables-nft -t nat -I OUTPUT -m addrtype --dst-type LOCAL -m comment --comment linuxnet -j LINUXNET-PUBLISH
ip6tables-nft -t nat -I POSTROUTING -m comment --comment linuxnet -j LINUXNET-HAIRPIN
iptables-nft -t nat -A LINUXNET-PUBLISH -d 127.0.0.1/32 -p udp -m udp --dport 8081 -m comment --comment 'linuxnet:web|front0|' -j DNAT --to-destination 172.20.0.128:81
conntrack -D -f ipv4 -p udp --orig-port-dst 8081 || true
iptables-nft -t nat -A LINUXNET-PUBLISH -p tcp -m tcp --dport 30000:30009 -m comment --comment 'linuxnet:web|front0|' -j DNAT --to-destination 172.20.0.128
ip6tables-nft -t nat -A LINUXNET-PUBLISH -p tcp -m tcp --dport 30000:30009 -m comment --comment 'linuxnet:web|front0|' -j DNAT --to-destination fd00:20::c0ec:e9fd:46dd:3fcf
