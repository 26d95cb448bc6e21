# Read by login shells.
PS1='[\u@\h \W]\$ '
case $- in
*i*) echo 'Log in first: choria login. Then choria ping; choria --help tells the rest.' ;;
esac
